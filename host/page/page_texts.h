/* What every page says of itself. */
#ifndef TANDA_PAGE_PAGE_TEXTS_H
#define TANDA_PAGE_PAGE_TEXTS_H

#include "page/gnuplot.h"
#include "page/texts.h"

#define PAGE_TEXTS(TEXT) \
    TEXT(page_made_by, "Made by tanda %s.", "Hecho con tanda %s.") \
    TEXT(page_sources, "Drawn by gnuplot; to edit: %s and %s", "Dibujado con gnuplot; para editar: %s y %s") \
    TEXT(page_no_gnuplot, "No picture: gnuplot is not installed (Debian's package " GNUPLOT_PACKAGE ").", \
         "Sin figura: falta gnuplot (paquete " GNUPLOT_PACKAGE " de Debian).") \
    TEXT(page_no_picture, "No picture: %s", "Sin figura: %s")

PAGE_TEXTS(TEXT_DEFINE)

#endif
