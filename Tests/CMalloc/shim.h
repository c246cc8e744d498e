#pragma once
// How much memory the process has asked for, which the Glibc module leaves out.
#include <malloc.h>
