/* cppcheck.h: macros of libraries whose headers cppcheck does not read. */
#define cJSON_ArrayForEach(at, list) for (at = (list) ? (list)->child : 0; at; at = at->next)
