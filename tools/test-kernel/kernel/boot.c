#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "files.h"
#include "info.h"
#include "machine.h"
#include "message.h"
#include "parameters.h"
#include "words.h"

int main(int argc, char *argv[]);

static void print_banner(void);
static int init(const struct boot_information *information, int *count, char **words);

void boot(const struct boot_information *information)
{
	static char line[CONFIG_LIBUKBOOT_CMDLINE_MAX_LEN + 1];
	static char *words[CONFIG_LIBUKBOOT_MAXNBARGS + 1];

	if (strlen(information->command_line) >= sizeof(line)) {
		message("ERR", "libukboot", "Could not parse cmdline (%d)", -E2BIG);
		terminate(CRASH);
	}
	strcpy(line, *information->command_line ? information->command_line : CONFIG_UK_NAME);

	int count = split_words(line, words, CONFIG_LIBUKBOOT_MAXNBARGS);
	char **arguments = words;
	int taken = init(information, &count, words);

	if (taken < 0) {
		message("ERR", "libukboot", "Init function returned error %d", taken);
		terminate(CRASH);
	}
	/* argv[0] stays the kernel's name. */
	arguments[taken] = words[0];
	arguments += taken;
	count -= taken;
	arguments[count] = NULL;

	print_banner();
#ifdef CONFIG_LIBPOSIX_ENVIRON_LIBPARAM
	environ = parameter_environment;
#endif

	int code = main(count, arguments);

	message_info("libukboot", "main returned %d", code);
	terminate_with_code(code);
}

/* Gives how many words were parameters of the kernel, or a negative error number. */
static int init(const struct boot_information *information, int *count, char **words)
{
	int taken = 0;

	(void)count;
	(void)words;
	(void)information;
#ifdef CONFIG_LIBUKLIBPARAM
	taken = take_parameters(*count, words);
	if (taken < 0)
		return taken;
#endif
#ifdef CONFIG_LIBVFSCORE
	int error = mount_root(information->initrd, information->initrd_size);

	if (error)
		return error;
#endif
	return taken;
}

static void print_banner(void)
{
#ifdef CONFIG_LIBUKBOOT_BANNER_MINIMAL
	printf("Powered by the test kernel, a stand-in for Unikraft (%s %s)\n", CONFIG_UK_CODENAME, CONFIG_UK_FULLVERSION);
#endif
	message_info("libukboot", "built %s", *build_date ? build_date : "without a date");
}
