/* A perceptron trained by ggml_opt, as ggml's mnist example trains its fully connected one: a static graph of one physical
 * batch, cross-entropy, a data set that is shuffled by epochs. bench/peers.py calls it; ggml ends the process on errors. */
#include "ggml-backend.h"
#include "ggml-opt.h"
#include "ggml.h"

#include <stdint.h>
#include <stdlib.h>

enum { MAXIMUM_BACKENDS = 8, MAXIMUM_TENSORS = 64 };

typedef struct peer {
    ggml_backend_t backends[MAXIMUM_BACKENDS]; /* in order of preference; the last is the CPU */
    int backend_count;
    struct ggml_context *parameters, *graph;
    struct ggml_opt_optimizer_params optimizer_settings;
    ggml_opt_dataset_t dataset;
    ggml_opt_context_t optimizer;
} peer;

/* What the caller has: rows of units[0] features, rows of units[layers] labels (one-hot), weights out x in. */
typedef struct peer_task {
    const int64_t *units;
    const float *features, *labels;
    const float *const *weights, *const *biases;
    int64_t layers, rows, batch;
    float learning_rate;
} peer_task;

/* Devices that help the CPU (BLAS, if built in) come first, so that they get what they can do. */
static void open_backends(peer *peer) {
    static const enum ggml_backend_dev_type order[] = {GGML_BACKEND_DEVICE_TYPE_ACCEL,
                                                       GGML_BACKEND_DEVICE_TYPE_CPU};
    for (int kind = 0; kind < 2; kind++) {
        for (size_t d = 0; d < ggml_backend_dev_count() && peer->backend_count < MAXIMUM_BACKENDS; d++) {
            ggml_backend_dev_t device = ggml_backend_dev_get(d);
            if (ggml_backend_dev_type(device) == order[kind])
                peer->backends[peer->backend_count++] = ggml_backend_dev_init(device, NULL);
        }
    }
}

static struct ggml_context *new_context(size_t bytes) {
    return ggml_init((struct ggml_init_params){.mem_size = bytes, .no_alloc = true});
}

static struct ggml_tensor *new_parameter(peer *peer, int64_t columns, int64_t rows) {
    struct ggml_tensor *tensor = ggml_new_tensor_2d(peer->parameters, GGML_TYPE_F32, columns, rows);
    ggml_set_param(tensor);
    return tensor;
}

static struct ggml_tensor *build_network(peer *peer, const peer_task *task, struct ggml_tensor *input) {
    struct ggml_tensor *weights[MAXIMUM_TENSORS / 2], *biases[MAXIMUM_TENSORS / 2], *value = input;
    for (int64_t l = 0; l < task->layers; l++) {
        weights[l] = new_parameter(peer, task->units[l], task->units[l + 1]);
        biases[l] = new_parameter(peer, task->units[l + 1], 1);
        value = ggml_add(peer->graph, ggml_mul_mat(peer->graph, weights[l], value), biases[l]);
        if (l + 1 < task->layers) value = ggml_relu(peer->graph, value);
    }
    ggml_backend_alloc_ctx_tensors(peer->parameters, peer->backends[peer->backend_count - 1]);
    for (int64_t l = 0; l < task->layers; l++) {
        ggml_backend_tensor_set(weights[l], task->weights[l], 0, ggml_nbytes(weights[l]));
        ggml_backend_tensor_set(biases[l], task->biases[l], 0, ggml_nbytes(biases[l]));
    }
    return value;
}

static void fill_dataset(peer *peer, const peer_task *task) {
    peer->dataset = ggml_opt_dataset_init(GGML_TYPE_F32, GGML_TYPE_F32, task->units[0],
                                          task->units[task->layers], task->rows, 1);
    struct ggml_tensor *data = ggml_opt_dataset_data(peer->dataset),
                       *labels = ggml_opt_dataset_labels(peer->dataset);
    ggml_backend_tensor_set(data, task->features, 0, ggml_nbytes(data));
    ggml_backend_tensor_set(labels, task->labels, 0, ggml_nbytes(labels));
}

peer *peer_new(const peer_task *task) {
    if (2 * task->layers + 1 > MAXIMUM_TENSORS || task->rows % task->batch) return NULL;
    peer *peer = calloc(1, sizeof *peer);
    if (!peer) return NULL;
    open_backends(peer);
    peer->parameters = new_context(MAXIMUM_TENSORS * ggml_tensor_overhead());
    peer->graph = new_context(GGML_DEFAULT_GRAPH_SIZE * ggml_tensor_overhead() + 3 * ggml_graph_overhead());
    struct ggml_tensor *input =
        ggml_new_tensor_2d(peer->parameters, GGML_TYPE_F32, task->units[0], task->batch);
    struct ggml_tensor *output = build_network(peer, task, input);
    fill_dataset(peer, task);
    peer->optimizer_settings.sgd.alpha = task->learning_rate;
    ggml_backend_sched_t scheduler = ggml_backend_sched_new(peer->backends, NULL, peer->backend_count,
                                                            GGML_DEFAULT_GRAPH_SIZE, false, true);
    struct ggml_opt_params settings = ggml_opt_default_params(scheduler, GGML_OPT_LOSS_TYPE_CROSS_ENTROPY);
    settings.ctx_compute = peer->graph;
    settings.inputs = input;
    settings.outputs = output;
    settings.optimizer = GGML_OPT_OPTIMIZER_TYPE_SGD;
    settings.get_opt_pars = ggml_opt_get_constant_optimizer_params;
    settings.get_opt_pars_ud = &peer->optimizer_settings;
    peer->optimizer = ggml_opt_init(settings);
    return peer;
}

/* As the processor's and BLAS's own libraries have such a function under this name. */
void peer_set_threads(peer *peer, int threads) {
    for (int b = 0; b < peer->backend_count; b++) {
        ggml_backend_reg_t library = ggml_backend_dev_backend_reg(ggml_backend_get_device(peer->backends[b]));
        ggml_backend_set_n_threads_t set = (ggml_backend_set_n_threads_t)ggml_backend_reg_get_proc_address(
            library, "ggml_backend_set_n_threads");
        if (set) set(peer->backends[b], threads);
    }
}

void peer_shuffle(peer *peer) {
    ggml_opt_dataset_shuffle(peer->optimizer, peer->dataset, -1);
}

/* One step on a batch of the data set in its present order. Returns the loss. */
float peer_step(peer *peer, int64_t batch) {
    float loss;
    ggml_opt_alloc(peer->optimizer, true);
    ggml_opt_dataset_get_batch(peer->dataset, ggml_opt_inputs(peer->optimizer),
                               ggml_opt_labels(peer->optimizer), batch);
    ggml_opt_eval(peer->optimizer, NULL);
    ggml_backend_tensor_get(ggml_opt_loss(peer->optimizer), &loss, 0, sizeof loss);
    return loss;
}
