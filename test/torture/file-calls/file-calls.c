/*
 * Stands between a process and the C library, and sees each call on the files of one database: the path in VALKEYRIE_CALLS_ON, and
 * what is named after it (-wal, -shm, -journal). All else passes untouched.
 *
 * VALKEYRIE_CALLS_FAIL names a file of ten 32-bit integers that the process shares with this library, and that says which calls fail:
 * see faults.ts. VALKEYRIE_CALLS_LOG names a file to which each change of the files is appended, with what it wrote: see recording.ts.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CALL_OPEN = 1, CALL_READ = 2, CALL_WRITE = 4, CALL_SYNC = 8, CALL_TRUNCATE = 16, CALL_MAP = 32, CALL_UNLINK = 64 };
enum { MOST_FILES = 4096 };

/* The order of the integers in the file of faults. */
struct faults {
  int32_t calls;     /* which calls may fail: a sum of CALL_ */
  int32_t files;     /* of which files: a sum of 1 << index into suffixes */
  int32_t countdown; /* the fault is at this call, counted from 1; 0 for none */
  int32_t length;    /* how many calls fail from then on; -1 for all */
  int32_t error;     /* errno; 0 for a read or write that moves less than it was asked to */
  int32_t failed;    /* counted here: calls that have failed */
  int32_t counted;   /* counted here: calls that might have */
};

/* What is appended to the log, before the bytes that were written. */
struct change {
  int32_t call;
  int32_t file;
  int64_t offset;
  int64_t length;
};

static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
static const char *database;
static size_t database_length;
static struct faults *faults;
static int log_to = -1;
/* For each descriptor, 1 + the file that it is of; 0 for any other. */
static int8_t file_of[MOST_FILES];

static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_read)(int, void *, size_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pread)(int, void *, size_t, off_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void begin(void) {
  real_open = dlsym(RTLD_NEXT, "open64");
  real_close = dlsym(RTLD_NEXT, "close");
  real_read = dlsym(RTLD_NEXT, "read");
  real_write = dlsym(RTLD_NEXT, "write");
  real_pread = dlsym(RTLD_NEXT, "pread64");
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_mmap = dlsym(RTLD_NEXT, "mmap64");
  real_unlink = dlsym(RTLD_NEXT, "unlink");
  const char *failing = getenv("VALKEYRIE_CALLS_FAIL");
  const char *log = getenv("VALKEYRIE_CALLS_LOG");
  database = getenv("VALKEYRIE_CALLS_ON");
  if (database == NULL) return;
  database_length = strlen(database);
  if (failing != NULL) {
    int fd = real_open(failing, O_RDWR | O_CLOEXEC);
    void *shared = real_mmap(NULL, sizeof(struct faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd < 0 || shared == MAP_FAILED) abort();
    faults = shared;
    real_close(fd);
  }
  if (log != NULL) {
    log_to = real_open(log, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (log_to < 0) abort();
  }
}

/* 1 + the index of its suffix for a file of the database, else 0. */
static int file_named(const char *path) {
  if (database == NULL || path == NULL || strncmp(path, database, database_length) != 0) return 0;
  for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
    if (strcmp(path + database_length, suffixes[i]) == 0) return 1 + (int)i;
  return 0;
}

static int file_at(int fd) {
  return fd >= 0 && fd < MOST_FILES ? file_of[fd] : 0;
}

/* Whether this call fails; then errno says how, and 0 that it moves less than it was asked to. */
static int fails(int call, int file) {
  if (faults == NULL || file == 0 || faults->countdown == 0) return 0;
  if (!(faults->calls & call) || !(faults->files & 1 << (file - 1))) return 0;
  faults->counted++;
  if (faults->counted < faults->countdown) return 0;
  if (faults->length >= 0 && faults->counted >= faults->countdown + faults->length) return 0;
  faults->failed++;
  errno = faults->error;
  return 1;
}

static void record(int call, int file, off_t offset, const void *bytes, size_t length) {
  if (log_to < 0 || file == 0) return;
  int32_t failure = errno;
  struct change change = {call, file - 1, offset, (int64_t)length};
  struct iovec parts[] = {{&change, sizeof change}, {(void *)bytes, bytes == NULL ? 0 : length}};
  /* One call, so that what the process itself appends does not come between. */
  if (writev(log_to, parts, 2) < 0) abort();
  errno = failure;
}

int open64(const char *path, int flags, ...) {
  mode_t mode = 0;
  if (flags & (O_CREAT | O_TMPFILE)) {
    va_list rest;
    va_start(rest, flags);
    mode = va_arg(rest, mode_t);
    va_end(rest);
  }
  int file = file_named(path);
  if (fails(CALL_OPEN, file)) return -1;
  int fd = real_open(path, flags, mode);
  if (fd >= 0 && fd < MOST_FILES) file_of[fd] = file;
  if (fd >= 0) record(CALL_OPEN, file, 0, NULL, 0);
  return fd;
}

int close(int fd) {
  if (fd >= 0 && fd < MOST_FILES) file_of[fd] = 0;
  return real_close(fd);
}

ssize_t read(int fd, void *to, size_t length) {
  if (fails(CALL_READ, file_at(fd))) {
    if (errno != 0) return -1;
    length /= 2;
  }
  return real_read(fd, to, length);
}

ssize_t pread64(int fd, void *to, size_t length, off_t offset) {
  if (fails(CALL_READ, file_at(fd))) {
    if (errno != 0) return -1;
    length /= 2;
  }
  return real_pread(fd, to, length, offset);
}

ssize_t write(int fd, const void *from, size_t length) {
  if (fails(CALL_WRITE, file_at(fd))) {
    if (errno != 0) return -1;
    length /= 2;
  }
  off_t offset = file_at(fd) == 0 || log_to < 0 ? 0 : lseek(fd, 0, SEEK_CUR);
  ssize_t written = real_write(fd, from, length);
  if (written > 0) record(CALL_WRITE, file_at(fd), offset, from, (size_t)written);
  return written;
}

ssize_t pwrite64(int fd, const void *from, size_t length, off_t offset) {
  if (fails(CALL_WRITE, file_at(fd))) {
    if (errno != 0) return -1;
    length /= 2;
  }
  ssize_t written = real_pwrite(fd, from, length, offset);
  if (written > 0) record(CALL_WRITE, file_at(fd), offset, from, (size_t)written);
  return written;
}

int fsync(int fd) {
  if (fails(CALL_SYNC, file_at(fd)) && errno != 0) return -1;
  int result = real_fsync(fd);
  if (result == 0) record(CALL_SYNC, file_at(fd), 0, NULL, 0);
  return result;
}

int fdatasync(int fd) {
  if (fails(CALL_SYNC, file_at(fd)) && errno != 0) return -1;
  int result = real_fdatasync(fd);
  if (result == 0) record(CALL_SYNC, file_at(fd), 0, NULL, 0);
  return result;
}

int ftruncate64(int fd, off_t length) {
  if (fails(CALL_TRUNCATE, file_at(fd)) && errno != 0) return -1;
  int result = real_ftruncate(fd, length);
  if (result == 0) record(CALL_TRUNCATE, file_at(fd), length, NULL, 0);
  return result;
}

void *mmap64(void *at, size_t length, int protection, int flags, int fd, off_t offset) {
  if (fails(CALL_MAP, file_at(fd)) && errno != 0) return MAP_FAILED;
  return real_mmap(at, length, protection, flags, fd, offset);
}

int unlink(const char *path) {
  int file = file_named(path);
  if (fails(CALL_UNLINK, file) && errno != 0) return -1;
  int result = real_unlink(path);
  if (result == 0) record(CALL_UNLINK, file, 0, NULL, 0);
  return result;
}
