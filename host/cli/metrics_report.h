/* Metrics for people, as scikit-learn's classification_report lays them out, and as JSON. */
#ifndef TANDA_CLI_METRICS_REPORT_H
#define TANDA_CLI_METRICS_REPORT_H

#include <jansson.h>

#include "tanda.h"

/* names: (class_count), or NULL for regression. */
void print_metrics(const tanda_metrics *metrics, char *const *names);

/* The same as an object, with every class and the whole confusion matrix; NULL when memory runs out. */
json_t *metrics_json(const tanda_metrics *metrics, char *const *names);

#endif
