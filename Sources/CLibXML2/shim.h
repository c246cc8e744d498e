#pragma once
#include <libxml/xmlversion.h>
// Where libxml2 is built with ICU its headers include those of ICU, whose types differ from the ones
// inside Foundation: a file that sees both does not compile. Nothing here needs them.
#undef LIBXML_ICU_ENABLED
#include <libxml/HTMLparser.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
