/*
 * A plan: one training or evaluation step as a flat list of ops with shapes and offsets.
 *
 * Dimensions, used by every op and backend under these names:
 *   width   lanes of a tile, a multiple of TILE_LANES, at most TILE_ROWS; one lane is one instance
 *   units   rows of a tensor inside a tile: a tensor is (units, width)
 *   K, H    inputs and outputs of a dense layer
 *   S       stride of a packed weight, (K, S): H rounded up to 16 when H >= 16, else H
 *
 * The plan runs in three phases: tile ops (once per tile), the reduction (the fixed tree over tiles), and the
 * parameter op (once per parameter). How ops are walked, fused and blocked is each backend's own business.
 */
#ifndef TANDA_BACKEND_PLAN_H
#define TANDA_BACKEND_PLAN_H

#include "kernels/geometry.h"
#include "model/model.h"

/* The tile ops. X(name): OpenMP has a function of this name, OpenCL a launcher and one kernel, */
#define KERNEL_OP_LIST(X) \
    X(gather) \
    X(dropout_forward) \
    X(softmax) \
    LOSS_OP_LIST(X) \
    X(weigh) \
    X(dropout_backward)

/* or, behind those, a choice of several. */
#define TILE_OP_LIST(X) \
    KERNEL_OP_LIST(X) \
    X(dense_forward) \
    X(activation_forward) \
    X(loss_sum) \
    X(dense_gradient) \
    X(dense_backward) \
    X(activation_backward)

typedef enum tile_op {
#define TILE_OP_ENUM(name) OP_##name,
    TILE_OP_LIST(TILE_OP_ENUM)
#undef TILE_OP_ENUM
        TILE_OP_COUNT
} tile_op;

/* "gather", ... */
const char *tile_op_name(tile_op op);

/*
 * A tensor's place in a tile, at a number of units from the start of its workspace. The input has one there, too, but a
 * backend may have it elsewhere, among tiles that are assembled once.
 */
typedef struct tensor_place {
    size_t offset;
    bool is_input;
} tensor_place;

static inline bool same_place(tensor_place a, tensor_place b) {
    return a.offset == b.offset;
}

/* K, H, S of a dense layer, and where its weight and bias lie in the packed parameters, in floats. */
typedef struct dense_shape {
    size_t inputs, outputs, stride;
    size_t weight, bias;
} dense_shape;

typedef struct gather_op {
    size_t features;
    tensor_place input; /* written */
} gather_op;

typedef struct dense_forward_op {
    dense_shape shape;
    tensor_place inputs;
    tensor_place logits; /* written */
    bool
        through_relu; /* set by a backend that fuses: what is stored goes through the ReLU that follows in place */
} dense_forward_op;

typedef struct dense_backward_op {
    dense_shape shape;
    size_t to_layer; /* whose outputs the inputs are */
    tensor_place delta;
    tensor_place inputs_delta; /* written */
    bool through_relu;         /* as above, backward, from the output of that ReLU: */
    tensor_place relu_output;
} dense_backward_op;

typedef struct dense_gradient_op {
    dense_shape shape;
    tensor_place delta, inputs;
    tensor_place transposed; /* S units of scratch for the transposed delta */
} dense_gradient_op;

typedef struct activation_forward_op {
    activation function;
    size_t units;
    tensor_place logits;
    tensor_place output; /* written */
} activation_forward_op;

typedef struct activation_backward_op {
    activation function;
    size_t units;
    tensor_place output_delta;
    tensor_place from;  /* logits or output, as activation_needs_logits() says */
    tensor_place delta; /* written: of the logits */
} activation_backward_op;

/* Either way: of the inputs of a layer, or of their delta. */
typedef struct dropout_op {
    size_t units;
    uint32_t threshold; /* random words below it drop their element, */
    float scale;        /* and what is kept is multiplied by this */
    tensor_place source;
    tensor_place target; /* written */
} dropout_op;

typedef struct softmax_op {
    size_t outputs;
    tensor_place logits;
    tensor_place output; /* written */
} softmax_op;

typedef struct loss_op {
    loss loss;                /* the model's, */
    loss_constants constants; /* what it wants to know, */
    size_t outputs;
    size_t targets;             /* and labels of a row: its class, or a target for each output */
    activation output_function; /* loss_mse takes it into itself */
    bool with_delta;
    tensor_place from;          /* the outputs of the last layer, or their logits: see loss_is_of_output */
    tensor_place losses, delta; /* written */
} loss_op;

typedef struct weigh_op {
    size_t outputs;
    tensor_place losses, delta; /* read and written */
} weigh_op;

typedef struct loss_sum_op {
    tensor_place losses;
} loss_sum_op;

typedef struct op {
    tile_op kind;
    size_t layer;
    bool after_barrier;  /* reads what the op before it in the list has written */
    bool adds_over_rows; /* so that it wants a whole tile; every other takes each row alone */
    union {              /* by the kind */
        gather_op gather;
        dense_forward_op dense_forward;
        activation_forward_op activation_forward;
        dropout_op dropout;
        softmax_op softmax;
        loss_op loss; /* each loss_... but the sum */
        weigh_op weigh;
        loss_sum_op loss_sum;
        dense_gradient_op dense_gradient;
        dense_backward_op dense_backward;
        activation_backward_op activation_backward;
    };
} op;

typedef enum tensor_role {
    TENSOR_INPUT,         /* the assembled rows */
    TENSOR_LOGITS,        /* W a + b of a layer */
    TENSOR_OUTPUT,        /* the activation of a layer; of the last layer: the prediction */
    TENSOR_DROPPED,       /* what dropout leaves of the inputs of a layer; none without dropout there */
    TENSOR_LOSS,          /* loss per row */
    TENSOR_DELTA_DROPPED, /* d loss / d (output of a layer after its dropout) */
    TENSOR_DELTA_OUTPUT,  /* d loss / d output of a layer */
    TENSOR_DELTA,         /* d loss / d logits of a layer */
} tensor_role;

typedef struct tensor {
    tensor_role role;
    size_t layer;
    size_t units;
    tensor_place place;
} tensor;

/* A layer's parameters in the packed vector: the weight as (K, S), then the bias as S floats. K: the layer's fan_in. */
typedef struct packed_layer {
    layer_kind kind;
    size_t inputs, outputs, stride;
    size_t weight, bias;
    size_t model_weight, model_bias; /* where they lie in the model's parameters */
    size_t
        delta_units; /* of a training: reserved at the place of its delta, where other layers' may lie, too */
} packed_layer;

/* The labels of a row. */
typedef struct label_layout {
    bool are_classes; /* one int32 class, else binary32 targets */
    bool are_counted; /* rows whose class, or whose labels all, were right */
    size_t count;     /* one class, or a target for each output */
} label_layout;

typedef struct plan {
    size_t op_count;
    op *ops;
    const op *gather;
    const op *output_forward; /* makes the logits of the output layer */
    const op *loss;           /* or NULL */
    size_t tensor_count;
    tensor *tensors;
    const tensor *input;
    size_t workspace_units;
    size_t layer_count;
    packed_layer *layers;
    size_t features;
    size_t parameter_count; /* packed, a multiple of 16 */
    size_t model_parameter_count;
    label_layout labels;
    bool training;
    bool keep;
    bool drops;    /* there is dropout somewhere */
    bool weighted; /* rows have weights */
} plan;

typedef struct plan_options {
    bool training; /* backward pass and update; otherwise forward and loss only */
    bool with_loss;
    bool with_prediction; /* make TENSOR_OUTPUT of the last layer */
    bool keep;            /* every tensor in its own storage, of every tile of a step, for session_read */
    /* Training: the part of each layer's inputs that each step drops, layer_count rates in [0, 1); NULL: none. */
    const double *dropout;
    bool input_only; /* the rows are assembled, and nothing more */
    bool weighted;   /* training: rows' losses and deltas are multiplied by their weights */
} plan_options;

/* Fails with TANDA_FAILED when sizes overflow or memory runs out. The plan does not refer to the model. */
tanda_status plan_create(const tanda_model *model, const plan_options *options, plan **result,
                         tanda_error *error);
void plan_free(plan *plan);

/* The op of the model's loss. */
tile_op loss_kind(const tanda_model *model);

/* Whether the loss starts from the last layer's output, through whose activation its delta then goes, not from logits. */
bool loss_is_of_output(const tanda_model *model);

/* NULL when the plan does not make such a tensor. */
const tensor *plan_tensor(const plan *plan, tensor_role role, size_t layer);

/* Values a row of the widest tensor. */
size_t plan_most_units(const plan *plan);

/* Model parameters to and from a packed vector of parameter_count floats; padding is +0 (coding rule 7). */
void plan_pack(const plan *plan, const float *model_parameters, float *packed);
void plan_unpack(const plan *plan, const float *packed, float *model_parameters);

#endif
