/*
 * The cost of a model over a plane through its weights, and the ways of trainings over it. The plane is that of two weights,
 * or of two random directions in which each row of a layer is as long as the model's own, and biases stay: so planes of
 * different models can be compared (Li, Xu, Taylor, Studer, Goldstein 2018, "Visualizing the Loss Landscape of Neural
 * Nets", arXiv 1712.09913; biases as their program has it with xignore=biasbn). Everything is computed on the device
 * with exact arithmetic: the same bits on each.
 */
#ifndef TANDA_VERIFY_SURFACE_H
#define TANDA_VERIFY_SURFACE_H

#include "backend/backend.h"
#include "data/dataset.h"
#include "model/model.h"

#define SURFACE_MOST_SIDE 1001
#define SURFACE_MOST_POINTS 100000

typedef enum surface_axes {
    SURFACE_AUTO,       /* both weights of a model that has no more, else directions */
    SURFACE_DIRECTIONS, /* drawn by the seed */
    SURFACE_WEIGHTS
} surface_axes;

typedef struct surface_options {
    surface_axes axes;
    size_t weight[2]; /* of SURFACE_WEIGHTS: their places in the parameters */
    size_t side;      /* points of the grid on each axis, 2 to SURFACE_MOST_SIDE */
    size_t points;    /* of a path at most, 2 to SURFACE_MOST_POINTS */
    bool has_range;   /* else one that holds the paths */
    double least[2], most[2];
    uint64_t seed;
    double l1,
        l2; /* the cost is the mean loss, l1 times the sum of |w| and l2 / 2 times that of w^2; biases do not count */
    void (*on_progress)(double part, void *context); /* or NULL */
    void *context;
} surface_options;

/* A training from the model's first weights on. */
typedef struct surface_path {
    const tanda_train_options *training; /* borrowed */
    size_t count; /* points: the first and the last weights, and steps between in even distances */
    uint64_t *steps;
    float *weights; /* (count, parameters) */
    double *x, *y;  /* on the plane, where the weights or, of more than two, their projection is */
    double *costs;  /* of the weights themselves */
    bool diverged;  /* and ends with the latest finite weights that were looked at; why: */
    char why[256];
} surface_path;

typedef struct surface {
    const tanda_model *model; /* borrowed; at the end it has the weights of the centre */
    surface_axes axes;        /* not SURFACE_AUTO */
    size_t weight[2];
    bool is_projected;    /* paths leave the plane */
    float *centre;        /* (parameters) the last weights of the first path; the origin of directions */
    float *directions[2]; /* (parameters), or NULL */
    size_t side;
    double *x, *y; /* (side), each a binary32 number */
    double *costs; /* (side, side): a row for each y; may be not finite */
    size_t path_count;
    surface_path *paths;
} surface;

/*
 * Trains the model once for each of `trainings`, always from its present weights and with the library's own loop, and takes
 * the costs on the training set. validation may be NULL. A training that diverges is told in its path; if it is the first,
 * TANDA_FAILED. TANDA_USAGE for sizes that are too large. surface is released with surface_free whatever is returned.
 */
tanda_status surface_run(backend *backend, tanda_model *model, const tanda_dataset *training,
                         const tanda_dataset *validation, const tanda_train_options *trainings, size_t count,
                         const surface_options *options, surface *surface, tanda_error *error);
void surface_free(surface *surface);

/* The parameters of a point of the plane: centre + x * directions[0] + y * directions[1], fused; or x and y themselves. */
void surface_at(const surface *surface, float x, float y, float *parameters);

/* One of two directions (0 and 1) of parameters (count of the model), normal numbers of Philox made as long as these. */
void surface_direction(const tanda_model *model, const float *parameters, uint64_t seed, size_t which,
                       float *direction);

/*
 * What the model with other parameters says of rows (rows, features), which are scaled as it wants them:
 * *predictions (rows, tanda_prediction_columns), to be freed. TANDA_FAILED, with its row, for one that is not finite.
 */
tanda_status surface_predict(backend *backend, tanda_model *model, const float *parameters,
                             const float *values, size_t rows, float **predictions, tanda_error *error);

#endif
