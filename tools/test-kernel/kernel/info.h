#pragma once

/* When the image was built, or an empty string. */
extern const char build_date[];
