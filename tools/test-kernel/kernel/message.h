/* Messages of the kernel, in the form of Unikraft's, for example `CRIT: [libkvmplat] Crashing`. */
#pragma once

#ifdef CONFIG_LIBUKDEBUG_PRINTK
void message(const char *level, const char *library, const char *format, ...) __attribute__((format(printf, 3, 4)));
#else
static inline void message(const char *level, const char *library, const char *format, ...)
{
	(void)level;
	(void)library;
	(void)format;
}
#endif

#ifdef CONFIG_LIBUKDEBUG_PRINTK_INFO
#define message_info(...) message("Info", __VA_ARGS__)
#else
#define message_info(...) ((void)0)
#endif
