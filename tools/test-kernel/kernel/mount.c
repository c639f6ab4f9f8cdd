#include <errno.h>
#include <string.h>
#include "files.h"
#include "message.h"
#include "parameters.h"
#ifdef CONFIG_LIB9PFS
#include "share.h"
#endif

#if defined(CONFIG_LIBVFSCORE_AUTOMOUNT_CI_INITRD) || defined(CONFIG_LIBVFSCORE_AUTOMOUNT_UP)
static int mount_initrd(const char *initrd, size_t size)
{
	if (size == 0) {
		message("ERR", "libvfscore", "Failed to mount /: there is no initial RAM disk");
		return -ENODEV;
	}
	return cpio_mount(initrd, size);
}
#endif

#ifdef CONFIG_LIBVFSCORE_AUTOMOUNT_UP
/* An entry is source:path:driver and more that does not matter here. */
static int mount_entry(char *entry, const char *initrd, size_t size)
{
	char *path = strchr(entry, ':'), *driver = path ? strchr(path + 1, ':') : NULL;

	if (driver == NULL)
		return -EINVAL;
	*path++ = 0;
	*driver++ = 0;
	if (strcmp(entry, "initrd0") == 0 && strcmp(path, "/") == 0 && strncmp(driver, "extract", 7) == 0)
		return mount_initrd(initrd, size);
#ifdef CONFIG_LIB9PFS
	if (strncmp(driver, "9pfs", 4) == 0)
		return share_mount(entry, path);
#endif
	return -ENODEV;
}
#endif

int mount_root(const char *initrd, size_t size)
{
	(void)initrd;
	(void)size;
#ifdef CONFIG_LIBVFSCORE_AUTOMOUNT_CI_INITRD
	return mount_initrd(initrd, size);
#elif defined(CONFIG_LIBVFSCORE_AUTOMOUNT_UP)
	for (char **entry = parameter_fstab; *entry; entry++) {
		int error = mount_entry(*entry, initrd, size);

		if (error) {
			message("ERR", "libvfscore", "Failed to mount %s: %d", *entry, error);
			return error;
		}
	}
	return 0;
#else
	return 0;
#endif
}
