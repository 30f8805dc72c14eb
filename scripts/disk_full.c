/* Preloaded into a program by scripts/fault_campaign: after FAULT_BYTES bytes written to regular
 * files the disk is full, so that a write takes what still fits, and every later one fails with
 * ENOSPC. At the end of the process the number of bytes that were written goes to FAULT_REPORT. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long written;

static long limit(void) {
  const char* text = getenv("FAULT_BYTES");
  return text ? atol(text) : -1;
}

/* How much of `size` bytes fits; -1: the file is no regular one, so that all does. */
static ssize_t room(int file, size_t size) {
  struct stat status;
  if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return -1;
  const long most = limit(), before = atomic_fetch_add(&written, (long)size);
  if (most < 0 || before + (long)size <= most) return (ssize_t)size;
  return before >= most ? 0 : most - before;
}

static ssize_t full(void) {
  errno = ENOSPC;
  return -1;
}

ssize_t write(int file, const void* data, size_t size) {
  static ssize_t (*next)(int, const void*, size_t);
  if (!next) next = (ssize_t(*)(int, const void*, size_t))dlsym(RTLD_NEXT, "write");
  const ssize_t fits = room(file, size);
  if (fits == 0 && size > 0) return full();
  return next(file, data, fits < 0 ? size : (size_t)fits);
}

ssize_t pwrite(int file, const void* data, size_t size, off_t at) {
  static ssize_t (*next)(int, const void*, size_t, off_t);
  if (!next) next = (ssize_t(*)(int, const void*, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
  const ssize_t fits = room(file, size);
  if (fits == 0 && size > 0) return full();
  return next(file, data, fits < 0 ? size : (size_t)fits, at);
}

ssize_t pwrite64(int file, const void* data, size_t size, off_t at) {
  return pwrite(file, data, size, at);
}

ssize_t writev(int file, const struct iovec* parts, int count) {
  ssize_t all = 0;
  for (int i = 0; i < count; ++i) {
    const ssize_t done = write(file, parts[i].iov_base, parts[i].iov_len);
    if (done < 0) return all > 0 ? all : -1;
    all += done;
    if ((size_t)done < parts[i].iov_len) break;
  }
  return all;
}

__attribute__((destructor)) static void report(void) {
  const char* path = getenv("FAULT_REPORT");
  FILE* file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  const long bytes = atomic_load(&written);
  setenv("FAULT_BYTES", "-1", 1);
  fprintf(file, "%ld\n", bytes);
  fclose(file);
}
