#include "train/same_training.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "support/digest.h"
#include "support/json.h"
#include "train/checkpoint_file.h"

static const char *grade_of(const backend *backend) {
    static const char *const names[] = {[TANDA_GRADE_EXACT] = "exact",
                                        [TANDA_GRADE_EXACT_BUT_SUBNORMALS] = "exact but for subnormals",
                                        [TANDA_GRADE_FAST_ONLY] = "fast only"};
    return names[backend->grade];
}

static json_builder begin_facts(const backend *backend) {
    json_builder facts = json_object_begin();
    json_put(&facts, "version of tanda", json_string(tanda_version()));
    json_put_count(&facts, "numerical contract", TANDA_CONTRACT);
    json_put(&facts, "self-test", json_string(grade_of(backend)));
    return facts;
}

static void put_data(json_builder *facts, const char *what, const tanda_dataset *dataset,
                     uint64_t fingerprint) {
    if (dataset == NULL) {
        json_put(facts, what, json_string("none"));
        return;
    }
    json_put(facts, what,
             json_sprintf("%zu x %zu values of fingerprint %016" PRIx64, dataset->rows, dataset->features,
                          fingerprint));
}

/* In the order in which differences are told. */
static json_t *describe(const trainer *trainer) {
    char shape[SHAPE_SIZE], digest[DIGEST_TEXT_SIZE];
    const tanda_model *model = trainer->model;
    json_builder facts = begin_facts(trainer->backend);
    put_data(&facts, "training data", trainer->dataset, trainer->training_fingerprint);
    put_data(&facts, "validation data", trainer->validation_set, trainer->validation_fingerprint);
    json_put(&facts, "model", json_text(model_shape(model, shape)));
    json_put_count(&facts, "loss", (uint64_t)model->loss);
    json_put_count(&facts, "epochs", trainer->options->epochs);
    json_put_count(&facts, "report_every", trainer->options->report_every);
    json_t *options = checkpoint_file_options(trainer), *value = NULL;
    const char *key = NULL;
    facts.failed |= options == NULL;
    json_object_foreach(options, key, value) json_put(&facts, key, json_incref(value));
    json_decref(options);
    json_put_count(&facts, "number of steps done", trainer->progress.step);
    model_digest(model, digest);
    json_put(&facts, "first weights", json_string(digest));
    return json_end(&facts);
}

/* Both are texts of objects in the same order. */
static tanda_status compare(const tanda_hosts *hosts, size_t rank, const char *first, const char *other,
                            tanda_error *error) {
    char who[RANK_TEXT_SIZE];
    tanda_status status = TANDA_OK;
    json_t *ours = json_read(first, strlen(first), 0, NULL), *value = NULL;
    json_t *theirs = json_read(other, strlen(other), 0, NULL);
    const char *key = NULL;
    if (ours == NULL || theirs == NULL) status = fail(error, TANDA_FAILED, "no memory to compare the ranks");
    json_object_foreach(ours, key, value) {
        const json_t *there = json_object_get(theirs, key);
        if (status != TANDA_OK || json_equal(value, there)) continue;
        char *here = json_write_shortest(value),
             *elsewhere = there == NULL ? NULL : json_write_shortest(there);
        status = fail(error, TANDA_USAGE, "%s: its %s: %s; rank 0 has %s", hosts_rank_text(hosts, rank, who),
                      key, elsewhere == NULL ? "none" : elsewhere, here == NULL ? "another" : here);
        free(here);
        free(elsewhere);
    }
    json_decref(ours);
    json_decref(theirs);
    return status;
}

static tanda_status compare_all(tanda_hosts *hosts, const char *own, tanda_error *error) {
    char **texts = NULL;
    tanda_status status = hosts_gather_texts(hosts, own, &texts, error);
    for (size_t rank = 1; status == TANDA_OK && rank < hosts_count(hosts); rank++)
        if (strcmp(texts[0], texts[rank]) != 0) status = compare(hosts, rank, texts[0], texts[rank], error);
    free(texts);
    return status;
}

/* facts: to be released here; NULL without memory. */
static tanda_status check_facts(tanda_hosts *hosts, json_t *facts, tanda_error *error) {
    char *own = facts == NULL ? NULL : json_write(facts, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(facts);
    tanda_status status =
        own == NULL ? fail(error, TANDA_FAILED, "no memory to compare the ranks") : TANDA_OK;
    status = hosts_agree(hosts, status, NULL, error);
    if (status == TANDA_OK) status = compare_all(hosts, own, error);
    free(own);
    return hosts_agree(hosts, status, NULL, error);
}

tanda_status same_training_check(const trainer *trainer, tanda_error *error) {
    const tanda_train_options *options = trainer->options;
    if (options->hosts == NULL) return TANDA_OK;
    hosts_begin_work(options->hosts, options->should_stop, options->context);
    if (options->math == TANDA_MATH_FAST)
        return hosts_agree(options->hosts,
                           fail(error, TANDA_USAGE,
                                "--math fast: each rank's device would make weights of its own; several "
                                "ranks train with --math exact"),
                           NULL, error);
    return check_facts(options->hosts, describe(trainer), error);
}

tanda_status same_application_check(tanda_hosts *hosts, const backend *backend, const tanda_model *model,
                                    const tanda_dataset *dataset, tanda_error *error) {
    char shape[SHAPE_SIZE], digest[DIGEST_TEXT_SIZE];
    json_builder facts = begin_facts(backend);
    json_put(&facts, "data", json_sprintf("%zu x %zu values", dataset->rows, dataset->features));
    json_put(&facts, "target", json_string(task_name(dataset->task)));
    json_put(&facts, "model", json_text(model_shape(model, shape)));
    json_put(&facts, "loss", json_string(loss_name(model->loss)));
    model_digest(model, digest);
    json_put(&facts, "weights", json_string(digest));
    return check_facts(hosts, json_end(&facts), error);
}

tanda_status same_weights_check(const trainer *trainer, tanda_error *error) {
    tanda_hosts *hosts = trainer->options->hosts;
    char digest[DIGEST_TEXT_SIZE], who[RANK_TEXT_SIZE], **digests = NULL;
    if (hosts == NULL) return TANDA_OK;
    model_digest(trainer->model, digest);
    tanda_status status = hosts_gather_texts(hosts, digest, &digests, error);
    for (size_t rank = 1; status == TANDA_OK && rank < hosts_count(hosts); rank++)
        if (strcmp(digests[0], digests[rank]) != 0)
            status = fail(error, TANDA_FAILED,
                          "%s has not the weights of rank 0 at the end: one of their devices is at fault",
                          hosts_rank_text(hosts, rank, who));
    free(digests);
    return status;
}
