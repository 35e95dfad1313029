/* The names of Keras 3, scikit-learn and PyTorch: which are ours, which are not, and that only ours are kept. */
#include "data/scaling.h"
#include "model/names.h"
#include "program.h"
#include "train/optimizer.h"
#include "train/schedule.h"

static const vocabulary *const all[] = {&activation_words, &loss_words,      &task_words,
                                        &scaling_words,    &optimizer_words, &schedule_words};
#define VOCABULARIES (sizeof all / sizeof *all)

/* ---- the tables --------------------------------------------------------------------------------------- */

Test(vocabulary, a_synonym_has_a_name_of_ours_or_says_why_not) {
    for (size_t v = 0; v < VOCABULARIES; v++)
        for (size_t i = 0; i < all[v]->synonym_count; i++) {
            const synonym *synonym = &all[v]->synonyms[i];
            if (synonym->name == NULL)
                cr_expect_not_null(synonym->remark, "%s", synonym->spelling);
            else
                cr_expect_lt(vocabulary_index(all[v], synonym->name), all[v]->count, "%s", synonym->spelling);
        }
}

Test(vocabulary, each_synonym_is_found_and_our_names_are_always_ours) {
    const char *remark = NULL;
    for (size_t v = 0; v < VOCABULARIES; v++) {
        for (size_t i = 0; i < all[v]->count; i++) {
            size_t index = SIZE_MAX;
            cr_expect_eq(vocabulary_find(all[v], all[v]->names[i], &index, &remark), WORD_KNOWN);
            cr_expect(index == i && remark == NULL, "%s", all[v]->names[i]);
        }
        for (size_t i = 0; i < all[v]->synonym_count; i++) {
            const synonym *synonym = &all[v]->synonyms[i];
            size_t index = SIZE_MAX;
            if (vocabulary_index(all[v], synonym->spelling) < all[v]->count)
                continue; /* ours by its letters */
            const word_kind kind = vocabulary_find(all[v], synonym->spelling, &index, &remark);
            cr_expect_eq(kind, synonym->name == NULL ? WORD_DIFFERS : WORD_KNOWN, "%s", synonym->spelling);
            cr_expect_eq(remark, synonym->remark, "%s is there twice", synonym->spelling);
        }
    }
}

Test(vocabulary, case_joints_and_modules_do_not_matter) {
    static const struct {
        const vocabulary *words;
        const char *theirs, *ours;
    } pairs[] = {
        {&activation_words, "ReLU", "relu"},
        {&activation_words, "torch.nn.SiLU", "swish"},
        {&activation_words, "keras.activations.linear", "identity"},
        {&activation_words, "Hardsigmoid", "hard_sigmoid"},
        {&activation_words, "GELU", "gelu"},
        {&loss_words, "BCEWithLogitsLoss", "binary_crossentropy"},
        {&loss_words, "binary_cross_entropy", "binary_crossentropy"},
        {&loss_words, "SparseCategoricalCrossentropy", "categorical_crossentropy"},
        {&loss_words, "nn.CrossEntropyLoss", "categorical_crossentropy"},
        {&loss_words, "Mean-Squared-Error", "mse"},
        {&loss_words, "logcosh", "log_cosh"},
        {&loss_words, "KLDivergence", "kl_divergence"},
        {&optimizer_words, "SGD", "sgd"},
        {&optimizer_words, "torch.optim.Adam", "adam"},
        {&schedule_words, "StepLR", "step"},
        {&schedule_words, "CosineDecay", "cosine"},
        {&scaling_words, "StandardScaler", "standard"},
        {&scaling_words, "MinMaxScaler", "minmax"},
        {&scaling_words, "None", "none"},
        {&task_words, "Classification", "classes"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *remark = NULL;
        size_t index = 0;
        cr_expect_eq(vocabulary_find(pairs[i].words, pairs[i].theirs, &index, &remark), WORD_KNOWN, "%s",
                     pairs[i].theirs);
        cr_expect_str_eq(pairs[i].words->names[index], pairs[i].ours);
    }
}

Test(vocabulary, what_differs_is_taken_as_we_write_it_alone) {
    static const struct {
        const vocabulary *words;
        const char *name;
    } contested[] = {{&activation_words, "LeakyReLU"},      {&activation_words, "nn.leaky_relu"},
                     {&optimizer_words, "RMSprop"},         {&optimizer_words, "Adagrad"},
                     {&optimizer_words, "AdamW"},           {&optimizer_words, "L-BFGS"},
                     {&loss_words, "squared_error"},        {&loss_words, "KLDivLoss"},
                     {&loss_words, "PoissonNLLLoss"},       {&schedule_words, "OneCycleLR"},
                     {&schedule_words, "ReduceLROnPlateau"}};
    for (size_t i = 0; i < sizeof contested / sizeof *contested; i++) {
        const char *remark = NULL;
        size_t index = SIZE_MAX;
        cr_expect_eq(vocabulary_find(contested[i].words, contested[i].name, &index, &remark), WORD_DIFFERS,
                     "%s", contested[i].name);
        cr_expect(index == SIZE_MAX && remark != NULL, "%s", contested[i].name);
    }
}

Test(vocabulary, other_texts_are_unknown) {
    static const char *const others[] = {"", "-", "_", ".", "mse.", "ms", "mses", "relu "};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const char *remark = NULL;
        size_t index = SIZE_MAX;
        cr_expect_eq(vocabulary_find(&loss_words, others[i], &index, &remark), WORD_UNKNOWN, "%s", others[i]);
        cr_expect_eq(vocabulary_find(&activation_words, others[i], &index, &remark), WORD_UNKNOWN);
        cr_expect(index == SIZE_MAX && remark == NULL);
    }
}

/* Files hold the very names, so that other programs and older versions read them. */
Test(vocabulary, files_know_our_names_alone) {
    activation found_activation = ACTIVATION_TANH;
    loss found_loss = LOSS_MSE;
    tanda_task found_task = TANDA_TASK_CLASSES;
    tanda_scale found_scale = TANDA_SCALE_NONE;
    cr_expect_not(activation_from_name("silu", &found_activation));
    cr_expect_not(loss_from_name("MSE", &found_loss));
    cr_expect_not(task_from_name("classification", &found_task));
    cr_expect_not(scaling_from_name("StandardScaler", &found_scale));
}

/* The sentences name constants; these are ours. */
Test(vocabulary, remarks_tell_the_constants_that_we_have) {
    cr_expect_float_eq((double)LEAKY_SLOPE, 0.2, 1e-7);
    cr_expect_eq(tanda_optimizer_defaults(TANDA_OPTIMIZER_ADAM).epsilon, 1e-7);
    cr_expect_neq(tanda_optimizer_defaults(TANDA_OPTIMIZER_RMSPROP).rho, 0.99);
    cr_expect_neq(tanda_optimizer_defaults(TANDA_OPTIMIZER_ADAGRAD).initial_accumulator, 0.0);
    cr_expect_neq(tanda_optimizer_defaults(TANDA_OPTIMIZER_ADAMW).weight_decay, 0.01);
    cr_expect_eq(tanda_schedule_defaults(TANDA_SCHEDULE_PLATEAU).min_delta, 0.0001);
    const tanda_optimizer_options options = {.kind = TANDA_OPTIMIZER_RMSPROP, .rho = 0.99, .epsilon = 1e-16};
    cr_expect_eq(optimizer_check(&options, NULL), TANDA_OK);
    const tanda_optimizer_options adagrad = {.kind = TANDA_OPTIMIZER_ADAGRAD, .epsilon = 1e-20};
    cr_expect_eq(optimizer_check(&adagrad, NULL), TANDA_OK);
}

/* ---- the program -------------------------------------------------------------------------------------- */

TestSuite(names, .init = enter_folder, .fini = leave_folder);

#define COMMON "--data", IRIS, "--hidden", "6,5", "--epochs", "2", "--device", "cpu", "--quiet"
#define OURS \
    "--activation", "swish,identity", "--loss", "categorical_crossentropy", "--optimizer", "adam", \
        "--schedule", "cosine", "--scale", "standard", "--task", "classes", "--shuffle", "full", \
        "--unknown-category", "zero", "--class-weight", "balanced"
#define THEIRS \
    "--activation", "nn.SiLU,Linear", "--loss", "SparseCategoricalCrossentropy", "--optimizer", "Adam", \
        "--schedule", "CosineDecay", "--scale", "StandardScaler", "--task", "classification", "--shuffle", \
        "True", "--unknown-category", "ignore", "--class-weight", "Balanced"

static char *settings_of(const char *model) {
    const outcome outcome = RUN("inspect", model, "--settings");
    cr_assert_eq(outcome.status, 0, "%s", outcome.err);
    return outcome.out;
}

Test(names, models_and_settings_are_the_same_by_either_name) {
    cr_assert_eq(RUN("train", COMMON, OURS, "--output", "ours.safetensors").status, 0);
    const outcome theirs = RUN("train", COMMON, THEIRS, "--output", "theirs.safetensors");
    cr_assert_eq(theirs.status, 0, "%s", theirs.err);
    cr_expect_str_eq(settings_of("theirs.safetensors"), settings_of("ours.safetensors"));
    cr_expect_str_eq(RUN("inspect", "theirs.safetensors").out + sizeof "Model: theirs",
                     RUN("inspect", "ours.safetensors").out + sizeof "Model: ours");
}

Test(names, golden_files_and_verify_are_the_same_by_either_name) {
    cr_assert_eq(RUN("record", COMMON, OURS, "--output", "ours.golden").status, 0);
    const outcome theirs = RUN("record", COMMON, THEIRS, "--output", "theirs.golden");
    cr_assert_eq(theirs.status, 0, "%s", theirs.err);
    cr_expect_str_eq(file_text("theirs.golden"), file_text("ours.golden"));
    cr_expect_eq(RUN("verify", "--golden", "theirs.golden", "--device", "cpu", "--quiet").status, 0);
    const outcome verified = RUN("verify", "--data", IRIS, "--hidden", "6,5", "--device", "cpu", "--against",
                                 "cpu,isa=generic", "--quiet", "--steps", "4", THEIRS);
    cr_expect_eq(verified.status, 0, "%s%s", verified.out, verified.err);
}

Test(names, a_configuration_may_have_theirs) {
    write_text("theirs.json",
               "{\"data\": \"" IRIS "\", \"hidden\": [6, 5], \"activation\": [\"nn.SiLU\", \"Linear\"], "
               "\"loss\": \"CrossEntropyLoss\", \"optimizer\": \"Adam\", \"epochs\": 2}");
    cr_assert_eq(RUN("train", COMMON, "--activation", "swish,identity", "--optimizer", "adam", "--output",
                     "ours.safetensors")
                     .status,
                 0);
    cr_assert_eq(RUN("train", "--config", "theirs.json", "--device", "cpu", "--quiet", "--output",
                     "theirs.safetensors")
                     .status,
                 0);
    cr_expect_str_eq(settings_of("theirs.safetensors"), settings_of("ours.safetensors"));
    write_text("wrong.json", "{\"data\": \"" IRIS "\", \"optimizer\": \"RMSprop\"}");
    const outcome wrong = RUN("train", "--config", "wrong.json", "--quiet");
    cr_expect_eq(wrong.status, 2);
    cr_expect_not_null(strstr(wrong.err, "wrong.json: --optimizer: 'RMSprop': PyTorch and Keras differ"),
                       "%s", wrong.err);
}

Test(names, an_epsilon_that_differs_is_noted) {
    const char *const note = "note: adam has Keras's epsilon, 1e-7, by default; PyTorch's and scikit-learn's "
                             "is --epsilon 1e-8\n";
    const outcome noted = RUN("train", "--data", IRIS, "--device", "cpu", "--optimizer", "Adam");
    const outcome plain = RUN("train", "--data", IRIS, "--device", "cpu", "--optimizer", "adam");
    cr_expect_not_null(strstr(noted.err, note), "%s", noted.err);
    cr_expect_null(strstr(plain.err, note));
}

/* ---- columns ------------------------------------------------------------------------------------------ */

static const char *data_line(const char *const *arguments) {
    const outcome outcome = run_to(-1, arguments);
    char *end = strchr(outcome.err, '\n');
    if (end != NULL) *end = '\0';
    return outcome.err;
}
#define DATA_LINE(...) \
    data_line((const char *const[]){TANDA_PROGRAM, "train", "--device", "cpu", "--epochs", "1", "--data", \
                                    __VA_ARGS__, NULL})

Test(names, a_quoted_comma_is_no_end_of_a_name) {
    write_text("q.csv", "\"a,b\",c,\"d \"\"q\"\"\",t\n1,2,3,1\n2,3,4,0\n3,1,1,1\n4,4,5,0\n");
    cr_expect_not_null(strstr(DATA_LINE("q.csv", "--ignore", "\"a,b\",c"), " x 1 feature,"));
    cr_expect_not_null(strstr(DATA_LINE("q.csv", "--ignore", "c", "--ignore", "\"a,b\""), " x 1 feature,"));
    cr_expect_not_null(strstr(DATA_LINE("q.csv", "--ignore", "\"d \"\"q\"\"\""), " x 2 features,"));
    cr_expect_not_null(strstr(DATA_LINE("q.csv", "--features", "\"a,b\",c"), " x 2 features,"));
    cr_expect_not_null(strstr(DATA_LINE("q.csv", "--categorical", "\"a,b\",c"), " x 9 features,"));
    cr_expect_not_null(strstr(DATA_LINE("q.csv", "--sample-weight", "\"a,b\""), " x 2 features,"));
    cr_expect_not_null(strstr(DATA_LINE("q.csv", "--target", "\"a,b\",c"), " x 2 features, regression"));
}

Test(names, settings_keep_names_with_commas_apart) {
    write_text("q.csv", "\"a,b\",c,d,t\n1,2,3,1\n2,3,4,0\n3,1,1,1\n4,4,5,0\n");
    cr_assert_eq(RUN("train", "--data", "q.csv", "--ignore", "\"a,b\",c", "--device", "cpu", "--quiet",
                     "--output", "a.safetensors")
                     .status,
                 0);
    const outcome again =
        RUN("train", "--config", "a.safetensors", "--device", "cpu", "--quiet", "--output", "b.safetensors");
    cr_assert_eq(again.status, 0, "%s", again.err);
    cr_expect_str_eq(settings_of("b.safetensors"), settings_of("a.safetensors"));
}

Test(names, an_ignored_column_may_hold_anything) {
    static const char *const fields[] = {"1.x",        "1e999",         "\"say \"\"hi\"\", x\"",
                                         "5'9\" tall", "\"a\nb\"",      "a;b;c;d",
                                         "#5",         "\"1,5\"",       "NA",
                                         "",           "\"1,234,567\"", "h\xe9",
                                         "\x01",       "2024-01-02Z",   "a\tb\tc\td"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        for (int first = 0; first < 2; first++) {
            FILE *file = fopen("any.csv", "w");
            cr_assert_not_null(file);
            fputs(first ? "note,x,y,t\n" : "x,note,y,t\n", file);
            for (int row = 0; row < 20; row++)
                if (first)
                    fprintf(file, "%s,%d.5,%d.25,%d\n", fields[i], row, row * 7 % 5, row % 2);
                else
                    fprintf(file, "%d.5,%s,%d.25,%d\n", row, fields[i], row * 7 % 5, row % 2);
            cr_assert_eq(fclose(file), 0);
            const char *line = DATA_LINE("any.csv", "--ignore", "note");
            cr_expect_not_null(strstr(line, "20 rows x 2 features, classes"), "'%s': %s", fields[i], line);
        }
}
