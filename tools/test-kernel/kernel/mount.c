#include <errno.h>
#include <string.h>
#include "files.h"
#include "message.h"
#include "parameters.h"

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

int mount_root(const char *initrd, size_t size)
{
	(void)initrd;
	(void)size;
#ifdef CONFIG_LIBVFSCORE_AUTOMOUNT_CI_INITRD
	return mount_initrd(initrd, size);
#elif defined(CONFIG_LIBVFSCORE_AUTOMOUNT_UP)
	for (char **entry = parameter_fstab; *entry; entry++) {
		if (strncmp(*entry, "initrd0:/:extract", 17) == 0)
			return mount_initrd(initrd, size);
		message("ERR", "libvfscore", "Failed to mount %s", *entry);
		return -ENODEV;
	}
	return 0;
#else
	return 0;
#endif
}
