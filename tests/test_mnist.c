/*
 * MNIST, where it is at hand: in the folder that TANDA_MNIST names, in datasets/mnist (datasets/fetch_mnist.sh puts
 * it there), or in ../shared/data/mnist.
 */
#include "program.h"

TestSuite(mnist, .init = enter_folder, .fini = leave_folder);

#define LENGTH 600

static bool is_complete(const char *folder) {
    static const char *const names[] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                        "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
    char path[LENGTH];
    bool complete = true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        complete = complete && access(path, R_OK) == 0;
    }
    return complete;
}

/* The first folder that has all four files; else the test is skipped. */
static const char *mnist_folder(void) {
    const char *const folders[] = {getenv("TANDA_MNIST"), TANDA_SOURCE_DIR "/datasets/mnist",
                                   TANDA_SOURCE_DIR "/../shared/data/mnist"};
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
        if (folders[i] != NULL && is_complete(folders[i])) return folders[i];
    fprintf(stderr,
            "SKIPPED: no MNIST in $TANDA_MNIST (%s), %s or %s; datasets/fetch_mnist.sh downloads it\n",
            folders[0] == NULL ? "not set" : folders[0], folders[1], folders[2]);
    cr_skip_test("no MNIST");
    return NULL;
}

Test(mnist, one_hidden_layer_reads_97_of_100_unseen_digits) {
    const char *folder = mnist_folder();
    char images[LENGTH], labels[LENGTH], unseen_images[LENGTH], unseen_labels[LENGTH];
    snprintf(images, sizeof images, "%s/train-images-idx3-ubyte.gz", folder);
    snprintf(labels, sizeof labels, "%s/train-labels-idx1-ubyte.gz", folder);
    snprintf(unseen_images, sizeof unseen_images, "%s/t10k-images-idx3-ubyte.gz", folder);
    snprintf(unseen_labels, sizeof unseen_labels, "%s/t10k-labels-idx1-ubyte.gz", folder);
    json_t *result = RUN_JSON("train", "--device", "cpu", "--data", images, "--labels", labels,
                              "--validation", unseen_images, "--validation-labels", unseen_labels, "--hidden",
                              "128", "--batch", "32", "--epochs", "5", "--learning-rate", "0.1");
    cr_expect_eq(json_figure(result, "rows"), 60000);
    cr_expect_eq(json_figure(result, "parameters"), 784 * 128 + 128 + 128 * 10 + 10);
    cr_expect_geq(json_figure(result, "val_accuracy"), 0.97, "%g", json_figure(result, "val_accuracy"));
    json_decref(result);
}
