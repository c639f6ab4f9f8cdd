#pragma once

#define DT_DIR 4
#define DT_REG 8
#define DT_LNK 10

struct dirent {
	unsigned char d_type;
	char d_name[256];
};

typedef struct directory DIR;

DIR *opendir(const char *path);
struct dirent *readdir(DIR *directory);
int closedir(DIR *directory);
