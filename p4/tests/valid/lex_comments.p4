// Section 6.4.2: comments.

#include "include/common.p4"
#include "include/parser.p4"
#include "include/control.p4"

// A line, continued \
   this is still the comment
/* a block * with / and // in it */
/** documentation **/
const bit<8> X = 1 /* inside */ + /* twice
    over lines */ 2;
const bool OK = static_assert(X == 3);

#include "include/main.p4"
