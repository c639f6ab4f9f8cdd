#pragma once
#include <uk/bits/config.h>
