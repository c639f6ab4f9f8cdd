#pragma once

#define O_RDONLY 0
#define O_WRONLY 1
#define O_RDWR 2
#define O_ACCMODE 3

int open(const char *path, int flags, ...);
