#pragma once
#include <stddef.h>

#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1

#ifdef __cplusplus
extern "C" {
#endif

extern char **environ;

void exit(int status) __attribute__((noreturn));
void abort(void) __attribute__((noreturn));
char *getenv(const char *name);
int atoi(const char *text);
long strtol(const char *text, char **end, int base);

#ifdef __cplusplus
}
#endif
