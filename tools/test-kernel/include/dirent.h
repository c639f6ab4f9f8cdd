#pragma once

#define DT_DIR 4
#define DT_REG 8
#define DT_LNK 10

struct dirent {
	unsigned char d_type;
	char d_name[256];
};

typedef struct directory DIR;

#ifdef __cplusplus
extern "C" {
#endif

DIR *opendir(const char *path);
struct dirent *readdir(DIR *directory);
int closedir(DIR *directory);

#ifdef __cplusplus
}
#endif
