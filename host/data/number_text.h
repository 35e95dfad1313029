/* Numbers as decimal text, quickly and in no locale. */
#ifndef TANDA_DATA_NUMBER_TEXT_H
#define TANDA_DATA_NUMBER_TEXT_H

#include <stddef.h>

#define NUMBER_TEXT_SIZE 24 /* room for any binary32 number and an end */

/*
 * Writes what printf("%.9g") writes, to the digit, without an end; returns the length, at most NUMBER_TEXT_SIZE - 1. Nine
 * digits are enough for a finite binary32 number to be read back as the same.
 */
size_t number_text(float value, char text[NUMBER_TEXT_SIZE]);

#endif
