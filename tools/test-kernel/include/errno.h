#pragma once

#define ENOENT 2
#define E2BIG 7
#define EBADF 9
#define EACCES 13
#define ENODEV 19
#define ENOTDIR 20
#define EISDIR 21
#define EINVAL 22
#define EMFILE 24
#define ENOSPC 28
#define EROFS 30
#define ENAMETOOLONG 36
#define ELOOP 40

extern int errno;
