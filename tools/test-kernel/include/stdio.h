#pragma once
#include <stdarg.h>
#include <stddef.h>

typedef struct FILE FILE;
#ifdef __cplusplus
extern "C" {
#endif

/* Both are the console. */
extern FILE *stdout, *stderr;

int printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int vprintf(const char *format, va_list arguments);
int fprintf(FILE *file, const char *format, ...) __attribute__((format(printf, 2, 3)));
int vfprintf(FILE *file, const char *format, va_list arguments);
int snprintf(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments);
int putchar(int character);
int puts(const char *text);
int fputs(const char *text, FILE *file);
int fflush(FILE *file);

#ifdef __cplusplus
}
#endif
