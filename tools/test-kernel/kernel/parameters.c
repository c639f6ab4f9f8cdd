#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "message.h"
#include "parameters.h"

#ifndef CONFIG_LIBPOSIX_ENVIRON_LIBPARAM_MAXCOUNT
#define CONFIG_LIBPOSIX_ENVIRON_LIBPARAM_MAXCOUNT 0
#endif
#define MOST_MOUNTS 16
#define MOST_ADDRESSES 8

char *parameter_environment[CONFIG_LIBPOSIX_ENVIRON_LIBPARAM_MAXCOUNT + 1];
char *parameter_fstab[MOST_MOUNTS + 1];
char *parameter_addresses[MOST_ADDRESSES + 1];

static struct parameter {
	const char *name;
	char **values;
	int limit, count;
} parameters[] = {
	{ "env.vars", parameter_environment, CONFIG_LIBPOSIX_ENVIRON_LIBPARAM_MAXCOUNT, 0 },
	{ "vfs.fstab", parameter_fstab, MOST_MOUNTS, 0 },
	{ "netdev.ip", parameter_addresses, MOST_ADDRESSES, 0 },
};

static int find_end(int count, char *words[])
{
	for (int index = 1; index < count; index++)
		if (strcmp(words[index], "--") == 0)
			return index;
	return 0;
}

static struct parameter *find_parameter(const char *name)
{
	for (size_t index = 0; index < sizeof(parameters) / sizeof(*parameters); index++)
		if (strcmp(parameters[index].name, name) == 0 && parameters[index].limit > 0)
			return &parameters[index];
	message("Warn", "libuklibparam", "Parameter %s: Unknown", name);
	return NULL;
}

static int add_value(struct parameter *parameter, char *value)
{
	if (parameter == NULL)
		return 0;
	if (parameter->count == parameter->limit) {
		message("ERR", "libuklibparam", "Parameter %s: more than %d values", parameter->name, parameter->limit);
		return -ENOSPC;
	}
	parameter->values[parameter->count++] = value;
	return 0;
}

int take_parameters(int count, char *words[])
{
	int end = find_end(count, words), error = 0, in_list = 0;
	struct parameter *parameter = NULL;

	for (int index = 1; index < end && error == 0; index++) {
		char *value = words[index];

		if (!in_list) {
			value = strchr(value, '=');
			if (value)
				*value++ = 0;
			parameter = find_parameter(words[index]);
			in_list = value && *value == '[';
			if (in_list && *++value == 0)
				continue;
		}

		/* A list ends at a value whose last character is its end, which a list may also have alone. */
		size_t size = value ? strlen(value) : 0;

		if (in_list && size > 0 && value[size - 1] == ']') {
			in_list = 0;
			value[size - 1] = 0;
			if (size == 1)
				continue;
		}
		error = add_value(parameter, value ? value : "");
	}
	return error ? error : end;
}
