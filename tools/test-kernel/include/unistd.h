#pragma once
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Reading 0 waits for a line of the console; 1 and 2 write to it. */
ssize_t read(int number, void *buffer, size_t size);
ssize_t write(int number, const void *buffer, size_t size);
int close(int number);
unsigned int sleep(unsigned int seconds);
int usleep(unsigned int microseconds);

#ifdef __cplusplus
}
#endif
