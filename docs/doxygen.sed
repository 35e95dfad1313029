# Makes the plain comments of tanda.h such as Doxygen reads: the first tells of the file, one before a declaration or behind
# a member documents it, and titles of sections are left alone.
1s,^/\*,/** @mainpage The C interface\n *\n * All of it is in tanda.h.\n */\n/** @file,
/----/b
s,^( *)/\*( |$),\1/**\2,
s#([;{,].*|^ +[A-Z][A-Z0-9_]*) /\*( |$)#\1 /**<\2#
