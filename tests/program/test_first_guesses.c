/* What somebody who knows Keras, scikit-learn or PyTorch tries first, and what tanda answers: in one line. */
#include "program.h"

typedef struct guess {
    const char *world;     /* where it comes from */
    const char *arguments; /* behind tanda; blanks between them */
    int status;
    const char *answer; /* of exit code 0: a setting of the model m.safetensors; else what the line has */
} guess;

#define TRAIN "train --data iris.csv --epochs 1 --device cpu --quiet --output m.safetensors "
#define DEEP TRAIN "--hidden 4 "
#define DATA "train iris.csv --epochs 1 --device cpu --quiet -o m.safetensors "

static const guess guesses[] = {
    /* commands */
    {"scikit-learn", "fit iris.csv", 2, "here it is train: "},
    {"Keras", "compile", 2, "here it is train: "},
    {"PyTorch", "test m", 2, "here it is evaluate: "},
    {"PyTorch", "eval m", 2, "here it is evaluate: "},
    {"scikit-learn", "score m", 2, "here it is evaluate: "},
    {"Keras", "summary m", 2, "here it is inspect: "},
    {"all", "info m", 2, "here it is inspect: "},
    {"all", "describe iris.csv", 2, "here it is inspect: "},
    {"scikit-learn", "predict_proba m", 2, "here it is predict: "},
    {"scikit-learn", "transform m", 2, "here it is predict: "},
    {"PyTorch", "forward m", 2, "here it is predict: "},
    {"scikit-learn", "cross_val_score", 2, "here it is train: "},
    {"scikit-learn", "make_classification", 2, "here it is generate: "},
    {"all", "help fit", 2, "here it is train: "},
    {"all", "predcit m", 2, "the closest is predict"},

    /* optimizers */
    {"all", TRAIN "--optimizer SGD", 0, "\"optimizer\": \"sgd\""},
    {"all", TRAIN "--optimizer Adam", 0, "\"optimizer\": \"adam\""},
    {"PyTorch", TRAIN "--optimizer torch.optim.SGD", 0, "\"optimizer\": \"sgd\""},
    {"Keras", TRAIN "--optimizer keras.optimizers.Adam", 0, "\"optimizer\": \"adam\""},
    {"all", TRAIN "--optimizer RMSprop", 2, "rmsprop is Keras's; --rho 0.99"},
    {"all", TRAIN "--optimizer Adagrad", 2, "adagrad is Keras's; --initial-accumulator 0"},
    {"all", TRAIN "--optimizer AdamW", 2, "adamw is Keras's; --weight-decay 0.01"},
    {"PyTorch", TRAIN "--optimizer LBFGS", 2, "--history 100 --tolerance 1e-7"},
    {"scikit-learn", TRAIN "--optimizer saga", 2, "here lbfgs finds it"},
    {"scikit-learn", TRAIN "--optimizer newton-cg", 2, "here lbfgs finds it"},
    {"scikit-learn", TRAIN "--optimizer liblinear", 2, "lbfgs, its default"},
    {"Keras", TRAIN "--optimizer Nadam", 2, "use sgd, momentum, nesterov, adagrad, rmsprop, adam"},
    {"all", TRAIN "--momentum 0.9", 2, "--momentum is for --optimizer momentum, nesterov"},
    {"PyTorch", TRAIN "--weight-decay 0.01", 2, "--weight-decay is for --optimizer adamw"},

    /* losses */
    {"Keras", TRAIN "--loss sparse_categorical_crossentropy", 0, "\"loss\": \"categorical_crossentropy\""},
    {"Keras", TRAIN "--loss CategoricalCrossentropy", 0, "\"loss\": \"categorical_crossentropy\""},
    {"PyTorch", TRAIN "--loss CrossEntropyLoss", 0, "\"loss\": \"categorical_crossentropy\""},
    {"PyTorch", TRAIN "--loss nn.NLLLoss", 0, "\"loss\": \"categorical_crossentropy\""},
    {"PyTorch", TRAIN "--loss BCEWithLogitsLoss", 2, "needs 1 sigmoid output"},
    {"Keras", TRAIN "--target 0 --ignore 4 --loss mean_squared_error", 0, "\"loss\": \"mse\""},
    {"PyTorch", TRAIN "--target 0 --ignore 4 --loss MSELoss", 0, "\"loss\": \"mse\""},
    {"Keras", TRAIN "--target 0 --ignore 4 --loss MAE", 0, "\"loss\": \"mae\""},
    {"PyTorch", TRAIN "--target 0 --ignore 4 --loss L1Loss", 0, "\"loss\": \"mae\""},
    {"PyTorch", TRAIN "--target 0 --ignore 4 --loss SmoothL1Loss", 0, "\"loss\": \"huber\""},
    {"scikit-learn", TRAIN "--target 0 --ignore 4 --loss squared_error", 2, "half of mse; mse with half the"},
    {"scikit-learn", TRAIN "--loss log_loss", 2, "without --loss it is the one that fits"},
    {"PyTorch", TRAIN "--loss KLDivLoss", 2, "reduction='batchmean' is kl_divergence"},
    {"PyTorch", TRAIN "--target 0 --ignore 4 --loss PoissonNLLLoss", 2, "Keras's is poisson"},
    {"all", TRAIN "--loss rmse", 2, "train by mse"},
    {"Keras", TRAIN "--loss categorical_hinge", 2, "hinge holds each class against the rest"},

    /* activations and first weights */
    {"Keras", DEEP "--activation linear", 0, "\"activation\": [\"identity\"]"},
    {"Keras", DEEP "--activation silu", 0, "\"activation\": [\"swish\"]"},
    {"PyTorch", DEEP "--activation ReLU", 0, "\"activation\": [\"relu\"]"},
    {"PyTorch", DEEP "--activation nn.Tanh", 0, "\"activation\": [\"tanh\"]"},
    {"scikit-learn", DEEP "--activation logistic", 0, "\"activation\": [\"sigmoid\"]"},
    {"PyTorch", DEEP "--activation GELU", 0, "\"activation\": [\"gelu\"]"},
    {"PyTorch", DEEP "--activation LeakyReLU", 2, "leaky_relu takes 0.2"},
    {"Keras", DEEP "--activation mish", 2, "use identity, sigmoid, tanh, relu"},
    {"all", DEEP "--activation softmax", 2, "--output-activation softmax"},
    {"Keras", TRAIN "--output-activation Softmax", 0, "\"output_activation\": \"softmax\""},
    {"PyTorch", TRAIN "--output-activation LogSoftmax", 2, "the output before is softmax"},
    {"Keras", TRAIN "--init he_normal", 2, "weights are drawn by glorot_uniform"},
    {"PyTorch", TRAIN "--init xavier_uniform_", 2, "weights are drawn by glorot_uniform"},

    /* schedules, scaling, tasks and the rest */
    {"PyTorch", TRAIN "--schedule StepLR", 0, "\"schedule\": \"step\""},
    {"Keras", TRAIN "--schedule CosineDecay", 0, "\"schedule\": \"cosine\""},
    {"PyTorch", TRAIN "--schedule OneCycleLR", 2, "one-cycle does not"},
    {"Keras", TRAIN "--schedule ReduceLROnPlateau", 2, "plateau is Keras's"},
    {"Keras", TRAIN "--schedule ExponentialDecay", 2, "exponential once an epoch"},
    {"scikit-learn", TRAIN "--schedule adaptive", 2, "plateau with --decay-factor 0.2"},
    {"scikit-learn", TRAIN "--scale StandardScaler", 0, "\"scale\": \"standard\""},
    {"scikit-learn", TRAIN "--scale MinMaxScaler", 0, "\"scale\": \"minmax\""},
    {"Keras", TRAIN "--scale Normalization", 0, "\"scale\": \"standard\""},
    {"scikit-learn", TRAIN "--scale Normalizer", 2, "standard and minmax scale columns"},
    {"scikit-learn", TRAIN "--scale RobustScaler", 2, "use none, standard or minmax"},
    {"scikit-learn", TRAIN "--task multiclass", 0, "\"task\": \"classes\""},
    {"all", TRAIN "--task classification", 0, "\"task\": \"classes\""},
    {"Keras", TRAIN "--shuffle False", 0, "\"shuffle\": \"none\""},
    {"Keras", TRAIN "--restore-best True --patience 1", 0, "\"restore_best\": \"yes\""},
    {"scikit-learn", TRAIN "--unknown-category ignore", 0, "\"unknown_category\": \"zero\""},
    {"scikit-learn", TRAIN "--class-weight Balanced", 0, "\"class_weight\": \"balanced\""},
    {"scikit-learn", TRAIN "--hidden (64,32)", 2, "no list of units such as 256,128"},
    {"all", TRAIN "--batch auto", 2, "neither full nor a whole number"},

    /* files */
    {"Keras", "evaluate m.keras --data iris.csv", 3,
     "m.keras: is a Keras model; a model is a safetensors file"},
    {"Keras", "predict m.h5 --data iris.csv", 3, "m.h5: is an HDF5 file"},
    {"PyTorch", "predict m.pt --data iris.csv", 3, "m.pt: is a PyTorch file; a model is a safetensors file"},
    {"scikit-learn", "predict m.joblib --data iris.csv", 3, "m.joblib: is a pickle"},
    {"PyTorch", "train --data iris.csv --init m.pt", 3, "--init takes a state_dict saved as one"},
    {"all", "train --data data.parquet", 3, "is a Parquet file, which is not read; write it as CSV"},
    {"all", "train --data data.xlsx", 3, "is an Excel workbook, which is not read; write it as CSV"},
    {"all", "train --data data.json", 3, "is JSON, which is not read; write it as CSV"},
    {"all", "inspect m.joblib", 3,
     "is a pickle, as scikit-learn, joblib and PyTorch write, which is not read"},
    {"all", "predict iris.csv", 2, "no data; for example: tanda predict iris.safetensors"},
    {"all", "train --data iris.csv --target Species", 2, "did you mean 'species'?"},

    /* options and arguments */
    {"all", DATA "--lr 0.05", 0, "\"learning_rate\": 0.05"},
    {"scikit-learn", DATA "--learning-rate-init 0.05", 0, "\"learning_rate\": 0.05"},
    {"all", DATA "--batch-size 16", 0, "\"batch\": 16"},
    {"Keras", DATA "--batch_size 16", 0, "\"batch\": 16"},
    {"all", DATA "--hidden-layers 8", 0, "\"hidden\": [8]"},
    {"scikit-learn", DATA "--hidden-layer-sizes 8,4", 0, "\"hidden\": [8,4]"},
    {"scikit-learn", DATA "--random-state 7", 0, "\"seed\": 7"},
    {"scikit-learn", DATA "--alpha 0.1", 2, "scikit-learn's alpha is --l2 X"},
    {"scikit-learn", DATA "--solver adam", 2, "it is --optimizer NAME"},
    {"scikit-learn", DATA "--early-stopping", 2, "it is --patience N"},
    {"Keras", DATA "--layers 8", 2, "--hidden 64,32 names the units"},
    {"Keras", DATA "--metrics accuracy", 2, "all metrics that the task has are told"},
    {"Keras", DATA "--clipnorm 1", 2, "its global_clipnorm"},
    {"PyTorch", DATA "--nesterov", 2, "it is --optimizer nesterov"},
    {"all", DATA "--save m", 2, "it is --output MODEL"},
    {"all", DATA "--model m", 2, "where the new one goes is --output MODEL"},
    {"all", DATA "--quite", 2, "the closest is --quiet"},
    {"all", "train", 2, "for example: tanda train datasets/iris.csv"},
    {"all", "train iris.csv iris.csv", 2, "one argument too many"},
    {"all", "evaluate iris.csv m.safetensors", 3, "is CSV text, not a model; the arguments are MODEL DATA"},

    /* devices */
    {"PyTorch", DATA "--device cuda", 2, "here gpu is the first OpenCL GPU"},
    {"PyTorch", DATA "--device mps", 2, "here gpu is the first OpenCL GPU"},
    {"Keras", DATA "--device GPU:0", 2, "here gpu is the first OpenCL GPU"},
    {"Keras", DATA "--gpu", 2, "it is --device gpu"},
};
#define GUESSES (sizeof guesses / sizeof *guesses)

/* ---- files of others ---------------------------------------------------------------------------------- */

static void write_bytes(const char *path, const char *bytes, size_t size) {
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}
#define WRITE_BYTES(path, text) write_bytes(path, text, sizeof(text) - 1)

/* The beginning of a zip archive: a header of 30 bytes, in which the length of the name stands, and the name. */
static void write_zip(const char *path, const char *member) {
    char bytes[100] = "PK\003\004";
    bytes[26] = (char)strlen(member);
    memcpy(bytes + 30, member, strlen(member));
    write_bytes(path, bytes, sizeof bytes);
}

static void begin(void) {
    enter_folder();
    cr_assert_eq(symlink(IRIS, "iris.csv"), 0);
    write_zip("m.keras", "metadata.json");
    write_zip("m.pt", "m/data.pkl");
    write_zip("data.xlsx", "[Content_Types].xml");
    WRITE_BYTES("m.h5", "\x89HDF\r\n\x1a\n\0\0\0\0\0\0\0\0");
    WRITE_BYTES("m.joblib", "\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94.");
    WRITE_BYTES("data.parquet", "PAR1\x15\x04\x15\x10PAR1");
    WRITE_BYTES("data.json", "[{\"a\": 1, \"b\": 2}]\n");
}

TestSuite(first_guesses, .init = begin, .fini = leave_folder, .timeout = 300);

/* ---- the answers -------------------------------------------------------------------------------------- */

static outcome run_line(const char *line) {
    char words[400];
    const char *arguments[40] = {TANDA_PROGRAM};
    size_t count = 1;
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        arguments[count++] = word;
    for (size_t i = 0; i < kept_count; i++)
        free(kept_texts[i]);
    kept_count = 0;
    return run_to(-1, arguments);
}

static void expect_answer(const guess *guess) {
    outcome outcome = run_line(guess->arguments);
    cr_expect_eq(outcome.status, guess->status, "tanda %s: exit %d: %s", guess->arguments, outcome.status,
                 outcome.err);
    if (guess->status == 0) {
        cr_expect_str_eq(outcome.err, "", "tanda %s: %s", guess->arguments, outcome.err);
        outcome = run_line("inspect m.safetensors --settings");
        cr_expect_not_null(strstr(outcome.out, guess->answer), "tanda %s: %s", guess->arguments, outcome.out);
        return;
    }
    cr_expect_eq(strncmp(outcome.err, "tanda: ", 7), 0, "tanda %s: %s", guess->arguments, outcome.err);
    cr_expect_eq(count_lines(outcome.err), 1, "tanda %s: %s", guess->arguments, outcome.err);
    cr_expect_not_null(strstr(outcome.err, guess->answer), "tanda %s: %s", guess->arguments, outcome.err);
}

Test(first_guesses, each_leads_on_within_one_line) {
    cr_expect_geq(GUESSES, 60);
    for (size_t i = 0; i < GUESSES; i++)
        expect_answer(&guesses[i]);
}
