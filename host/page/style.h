/* The style of every page. */
#ifndef TANDA_PAGE_STYLE_H
#define TANDA_PAGE_STYLE_H

extern const char page_style[];

#endif
