#include <errno.h>
#include <stdint.h>
#include <string.h>

/* The compiler calls these four by itself, so they must not be turned into calls of themselves. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	for (size_t index = 0; index < size; index++)
		((char *)to)[index] = ((const char *)from)[index];
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	if (to <= from)
		return memcpy(to, from, size);
	while (size-- > 0)
		((char *)to)[size] = ((const char *)from)[size];
	return to;
}

void *memset(void *to, int value, size_t size)
{
	for (size_t index = 0; index < size; index++)
		((char *)to)[index] = value;
	return to;
}

int memcmp(const void *one, const void *other, size_t size)
{
	const unsigned char *a = one, *b = other;

	for (size_t index = 0; index < size; index++)
		if (a[index] != b[index])
			return a[index] - b[index];
	return 0;
}

void *memchr(const void *start, int value, size_t size)
{
	for (const unsigned char *at = start; size-- > 0; at++)
		if (*at == (unsigned char)value)
			return (void *)at;
	return NULL;
}

size_t strlen(const char *text)
{
	return strnlen(text, SIZE_MAX);
}

size_t strnlen(const char *text, size_t limit)
{
	size_t size = 0;

	while (size < limit && text[size])
		size++;
	return size;
}

int strcmp(const char *one, const char *other)
{
	return strncmp(one, other, SIZE_MAX);
}

int strncmp(const char *one, const char *other, size_t limit)
{
	for (; limit > 0; one++, other++, limit--)
		if (*one != *other || *one == 0)
			return (unsigned char)*one - (unsigned char)*other;
	return 0;
}

char *strchr(const char *text, int character)
{
	for (;; text++) {
		if (*text == (char)character)
			return (char *)text;
		if (*text == 0)
			return NULL;
	}
}

char *strrchr(const char *text, int character)
{
	const char *found = NULL;

	do {
		if (*text == (char)character)
			found = text;
	} while (*text++);
	return (char *)found;
}

char *strstr(const char *text, const char *part)
{
	size_t size = strlen(part);

	for (;; text++) {
		if (strncmp(text, part, size) == 0)
			return (char *)text;
		if (*text == 0)
			return NULL;
	}
}

size_t strcspn(const char *text, const char *stops)
{
	size_t size = 0;

	while (text[size] && !strchr(stops, text[size]))
		size++;
	return size;
}

char *strcpy(char *restrict to, const char *restrict from)
{
	return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *restrict to, const char *restrict from, size_t size)
{
	size_t length = strnlen(from, size);

	memcpy(to, from, length);
	memset(to + length, 0, size - length);
	return to;
}

char *strcat(char *restrict to, const char *restrict from)
{
	strcpy(to + strlen(to), from);
	return to;
}

char *strerror(int number)
{
	switch (number) {
	case 0: return "Success";
	case ENOENT: return "No such file or directory";
	case ENOTDIR: return "Not a directory";
	case EISDIR: return "Is a directory";
	case EACCES: return "Permission denied";
	case EROFS: return "Read-only file system";
	case EBADF: return "Bad file descriptor";
	case EMFILE: return "Too many open files";
	case ELOOP: return "Too many levels of symbolic links";
	case ENAMETOOLONG: return "File name too long";
	default: return "Error";
	}
}
