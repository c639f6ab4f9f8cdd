#include "info.h"

#ifndef UK_UTCDATE
#define UK_UTCDATE ""
#endif

const char build_date[] = UK_UTCDATE;
