#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "console.h"
#include "message.h"

struct FILE {
	int number;
};

static struct FILE console = { 1 }, error_console = { 2 };
FILE *stdout = &console, *stderr = &error_console;

/* Where formatted text goes: to a buffer, or to the console when there is none. */
struct sink {
	char *buffer;
	size_t size, written;
};

struct conversion {
	int left, zero, sign, alternative, width, precision, length;
};

static void put(struct sink *sink, char character)
{
	if (sink->buffer == NULL)
		console_write(&character, 1);
	else if (sink->written + 1 < sink->size)
		sink->buffer[sink->written] = character;
	sink->written++;
}

static void put_padding(struct sink *sink, char character, int count)
{
	while (count-- > 0)
		put(sink, character);
}

static void put_field(struct sink *sink, const struct conversion *conversion, const char *sign, const char *text, int size)
{
	int sign_size = strlen(sign);
	int zeros = conversion->precision > size ? conversion->precision - size : 0;
	int padding = conversion->width - sign_size - zeros - size;

	if (conversion->zero && !conversion->left && conversion->precision < 0 && padding > 0) {
		zeros = padding;
		padding = 0;
	}
	if (!conversion->left)
		put_padding(sink, ' ', padding);
	while (*sign)
		put(sink, *sign++);
	put_padding(sink, '0', zeros);
	for (int index = 0; index < size; index++)
		put(sink, text[index]);
	if (conversion->left)
		put_padding(sink, ' ', padding);
}

static void put_number(struct sink *sink, const struct conversion *conversion, const char *sign, uint64_t value,
		       unsigned int base, const char *digits)
{
	char text[24];
	int start = sizeof(text);

	while (value > 0 || (start == sizeof(text) && conversion->precision != 0)) {
		text[--start] = digits[value % base];
		value /= base;
	}
	put_field(sink, conversion, sign, text + start, sizeof(text) - start);
}

static void put_string(struct sink *sink, struct conversion *conversion, const char *text)
{
	if (text == NULL)
		text = "(null)";

	int size = conversion->precision < 0 ? strlen(text) : strnlen(text, conversion->precision);

	conversion->precision = -1;
	conversion->zero = 0;
	put_field(sink, conversion, "", text, size);
}

static int read_number(const char **format, va_list arguments)
{
	int number = 0;

	if (**format == '*') {
		(*format)++;
		return va_arg(arguments, int);
	}
	while (**format >= '0' && **format <= '9')
		number = number * 10 + *(*format)++ - '0';
	return number;
}

static const char *read_conversion(struct conversion *conversion, const char *format, va_list arguments)
{
	for (;; format++) {
		if (*format == '-')
			conversion->left = 1;
		else if (*format == '0')
			conversion->zero = 1;
		else if (*format == '+' || *format == ' ')
			conversion->sign = *format;
		else if (*format == '#')
			conversion->alternative = 1;
		else
			break;
	}
	conversion->width = read_number(&format, arguments);
	conversion->precision = -1;
	if (*format == '.') {
		format++;
		conversion->precision = read_number(&format, arguments);
	}
	while (*format == 'l' || *format == 'z' || *format == 'h') {
		conversion->length += *format == 'h' ? 0 : 1;
		format++;
	}
	return format;
}

static void print_to(struct sink *sink, const char *format, va_list arguments)
{
	for (; *format; format++) {
		if (*format != '%') {
			put(sink, *format);
			continue;
		}

		struct conversion conversion = { 0 };

		format = read_conversion(&conversion, format + 1, arguments);
		switch (*format) {
		case 'd':
		case 'i': {
			int64_t value = conversion.length ? va_arg(arguments, int64_t) : va_arg(arguments, int);
			const char *sign = value < 0 ? "-" : conversion.sign == '+' ? "+" : conversion.sign ? " " : "";

			put_number(sink, &conversion, sign, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, "0123456789");
			break;
		}
		case 'u':
		case 'x':
		case 'X':
		case 'o': {
			uint64_t value = conversion.length ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned int);
			const char *prefix = !conversion.alternative || !value ? "" : *format == 'x' ? "0x" : *format == 'X' ? "0X" : "";

			put_number(sink, &conversion, prefix, value, *format == 'u' ? 10 : *format == 'o' ? 8 : 16,
				   *format == 'X' ? "0123456789ABCDEF" : "0123456789abcdef");
			break;
		}
		case 'p':
			put_number(sink, &conversion, "0x", (uintptr_t)va_arg(arguments, void *), 16, "0123456789abcdef");
			break;
		case 'c': {
			char character = va_arg(arguments, int);

			put_field(sink, &conversion, "", &character, 1);
			break;
		}
		case 's':
			put_string(sink, &conversion, va_arg(arguments, const char *));
			break;
		case '%':
			put(sink, '%');
			break;
		default:
			/* A conversion that is not known is shown as it stands. */
			put(sink, '%');
			if (*format == 0)
				return;
			put(sink, *format);
		}
	}
}

int vprintf(const char *format, va_list arguments)
{
	struct sink sink = { 0 };

	print_to(&sink, format, arguments);
	return sink.written;
}

int printf(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);

	int written = vprintf(format, arguments);

	va_end(arguments);
	return written;
}

int vfprintf(FILE *file, const char *format, va_list arguments)
{
	(void)file;
	return vprintf(format, arguments);
}

int fprintf(FILE *file, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);

	int written = vfprintf(file, format, arguments);

	va_end(arguments);
	return written;
}

int vsnprintf(char *buffer, size_t size, const char *format, va_list arguments)
{
	char nowhere;
	struct sink sink = { .buffer = buffer ? buffer : &nowhere, .size = buffer ? size : 0 };

	print_to(&sink, format, arguments);
	if (sink.size > 0)
		sink.buffer[sink.written < sink.size ? sink.written : sink.size - 1] = 0;
	return sink.written;
}

int snprintf(char *buffer, size_t size, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);

	int written = vsnprintf(buffer, size, format, arguments);

	va_end(arguments);
	return written;
}

int putchar(int character)
{
	char byte = character;

	console_write(&byte, 1);
	return (unsigned char)byte;
}

int fputs(const char *text, FILE *file)
{
	(void)file;
	console_write(text, strlen(text));
	return 0;
}

int puts(const char *text)
{
	fputs(text, stdout);
	return putchar('\n');
}

int fflush(FILE *file)
{
	(void)file;
	return 0;
}

#ifdef CONFIG_LIBUKDEBUG_PRINTK
void message(const char *level, const char *library, const char *format, ...)
{
	va_list arguments;

	printf("%s: [%s] ", level, library);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
}
#endif
