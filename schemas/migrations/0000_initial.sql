CREATE TABLE "kv" ("key" blob PRIMARY KEY NOT NULL, "collection" text, "encoding" integer NOT NULL, "types" text, "version" integer NOT NULL, "expires_at" integer, "value" text NOT NULL);
--> statement-breakpoint
CREATE TABLE "kv_collections" ("name" text PRIMARY KEY NOT NULL, "pattern" text NOT NULL, "schema" text, "version" integer NOT NULL, "indexes" text, "references" text, "migrated" integer);
--> statement-breakpoint
CREATE TABLE "kv_log" ("version" integer PRIMARY KEY NOT NULL, "at" integer NOT NULL, "changes" blob NOT NULL);
--> statement-breakpoint
CREATE INDEX "kv_collection" ON "kv" ("collection", "key") WHERE collection IS NOT NULL;
--> statement-breakpoint
CREATE INDEX "kv_expires_at" ON "kv" ("expires_at") WHERE expires_at IS NOT NULL;
--> statement-breakpoint
CREATE UNIQUE INDEX "kv_countries_cca2_unique" ON "kv" (value ->> '$.cca2') WHERE collection = 'countries';
--> statement-breakpoint
CREATE UNIQUE INDEX "kv_countries_cca3_unique" ON "kv" (value ->> '$.cca3') WHERE collection = 'countries';
--> statement-breakpoint
CREATE INDEX "kv_countries_name_common" ON "kv" (value ->> '$.name.common', "key") WHERE collection = 'countries';
--> statement-breakpoint
CREATE INDEX "kv_countries_region_subregion" ON "kv" (value ->> '$.region', value ->> '$.subregion', "key") WHERE collection = 'countries';
--> statement-breakpoint
CREATE INDEX "kv_cities_population" ON "kv" (value ->> '$.population', "key") WHERE collection = 'cities';
--> statement-breakpoint
CREATE INDEX "kv_cities_name" ON "kv" (value ->> '$.name', "key") WHERE collection = 'cities';
--> statement-breakpoint
CREATE INDEX "kv_cities_country_population" ON "kv" (value ->> '$.country', value ->> '$.population', "key") WHERE collection = 'cities';
