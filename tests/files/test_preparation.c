/* Columns that become features: categories, missing values, and what a model keeps of them. */
#include <math.h>

#include "data/preparation.h"
#include "data_files.h"
#include "feeds.h"
#include "model/model_file.h"
#include "support/memory.h"

TestSuite(preparation, .init = make_folder, .fini = remove_folder);

#define VALUES(...) ((const float[]){__VA_ARGS__})
#define NAMES(...) ((const char *const[]){__VA_ARGS__})

static const char mixed[] = "age,colour,height,size,kind\n"
                            "31,red,1.75,10,a\n"
                            "NA,green,1.62,9,b\n"
                            "45,blue,?,10,a\n"
                            "28,red,1.81,2,b\n"
                            ",null,1.58,9,a\n"
                            "52,green,1.7,,b\n"
                            "39,\"dark \"\"red\"\"\",nan,10,a\n";

static const tanda_dataset_options mixed_options = {.categorical = (const char *const[]){"colour", "size"},
                                                    .categorical_count = 2,
                                                    .missing = TANDA_MISSING_MEAN};

/* Fits on the data set and prepares it; the preparation is the caller's unless result is NULL. */
static void prepare(tanda_dataset *dataset, preparation *result) {
    preparation made = {0};
    tanda_error error = {0};
    cr_assert_eq(preparation_fit(dataset, false, &made, &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(dataset_prepare(dataset, &made, TANDA_UNKNOWN_AUTO, &error), TANDA_OK, "%s", error.message);
    if (result != NULL)
        *result = made;
    else
        preparation_free(&made);
}

static void assert_names(const tanda_dataset *dataset, const char *const *names) {
    cr_assert_not_null(dataset->feature_names);
    for (size_t i = 0; i < dataset->features; i++)
        cr_assert_str_eq(dataset->feature_names[i], names[i], "feature %zu", i);
}

/*
 * What pandas 3.1.1 makes of it: read_csv(keep_default_na=False, na_values=["", "NA", "NaN", "nan", "null", "?"]), then
 * get_dummies(columns=["colour", "size"], dtype=float) and fillna with the means. SimpleImputer of scikit-learn 1.9.1
 * has the same means, OneHotEncoder the same categories in the same order.
 */
Test(preparation, categories_and_means_are_those_of_pandas) {
    tanda_dataset *dataset = load(write_text("mixed.csv", mixed), &mixed_options);
    prepare(dataset, NULL);
    assert_names(dataset, NAMES("age", "colour=blue", "colour=dark \"red\"", "colour=green", "colour=red",
                                "height", "size=2", "size=9", "size=10"));
    const float wanted[] = {
        31, 0, 0, 0, 1, 1.75f,  0, 0, 1, /**/ 39, 0, 0, 1, 0, 1.62f, 0, 1, 0, /**/
        45, 1, 0, 0, 0, 1.692f, 0, 0, 1, /**/ 28, 0, 0, 0, 1, 1.81f, 1, 0, 0, /**/
        39, 0, 0, 0, 0, 1.58f,  0, 1, 0, /**/ 52, 0, 0, 1, 0, 1.7f,  0, 0, 0, /**/
        39, 0, 1, 0, 0, 1.692f, 0, 0, 1,
    };
    assert_values(dataset, 7, 9, wanted);
    cr_assert_eq(dataset->missing, 6);
    cr_assert_eq(dataset->class_count, 2);
    tanda_dataset_free(dataset);
}

/* StandardScaler after SimpleImputer (scikit-learn 1.9.1); features of categories are left as they are. */
Test(preparation, means_are_there_before_the_scaling_and_categories_are_spared) {
    static const float age[] = {-1.0717826f, 0, 0.80383694f, -1.4737011f, 0, 1.7416468f, 0};
    static const float height[] = {0.81930804f, -1.0170721f, 0, 1.6668681f, -1.5821121f, 0.11300801f, 0};
    preparation preparation;
    scaling scaling = {0};
    tanda_dataset *dataset = load(write_text("mixed.csv", mixed), &mixed_options);
    prepare(dataset, &preparation);
    cr_assert_eq(fit_scaling(TANDA_SCALE_STANDARD, dataset->values, 7, 9, &scaling, NULL), TANDA_OK);
    preparation_spare(&preparation, &scaling);
    cr_assert_eq(dataset_scale(dataset, &scaling, NULL), TANDA_OK);
    for (size_t row = 0; row < 7; row++) {
        const float *values = dataset->values + row * 9;
        cr_assert_float_eq(values[0], age[row], 1e-6f);
        cr_assert_float_eq(values[5], height[row], 3e-6f);
        for (size_t i = 1; i < 5; i++)
            cr_assert(values[i] == 0.0f || values[i] == 1.0f);
    }
    scaling_free(&scaling);
    preparation_free(&preparation);
    tanda_dataset_free(dataset);
}

Test(preparation, auto_takes_columns_of_text_by_all_their_values) {
    tanda_dataset_options options = {.categorical_auto = true};
    const char *path = write_text("auto.csv", "a,b,c,y\n1,u,2,0\n2,v,3,1\n3,4,4,1\n");
    tanda_dataset *dataset = load(path, &options);
    prepare(dataset, NULL);
    assert_names(dataset, NAMES("a", "b=4", "b=u", "b=v", "c"));
    assert_values(dataset, 3, 5, VALUES(1, 0, 1, 0, 2, 2, 0, 0, 1, 3, 3, 1, 0, 0, 4));
    tanda_dataset_free(dataset);
    dataset = load(write_text("auto.csv", "a,b,y\n1,2,0\n2,many,1\n"), &options);
    prepare(dataset, NULL);
    assert_names(dataset, NAMES("a", "b=2", "b=many"));
    tanda_dataset_free(dataset);
    char text[200] = "a,b,y\n";
    for (int row = 0; row < 20; row++)
        sprintf(text + strlen(text), "%d,%s,%d\n", row, row == 17 ? "many" : row == 0 ? "N/A" : "7", row % 2);
    options.missing = TANDA_MISSING_MEAN; /* one word among numbers is a slip */
    refuse(write_text("auto.csv", text), &options,
           "auto.csv:19:2: 'many' is not a number; --categorical takes text (column b)");
    options.missing = TANDA_MISSING_REFUSE;
    dataset = load(write_text("numbers.csv", "a,b,y\n1,2,0\n2,3,1\n"), &options);
    cr_assert(raw_columns_are_features(&dataset->raw));
    tanda_dataset_free(dataset);
}

Test(preparation, a_first_row_of_categories_is_no_header) {
    tanda_dataset_options options = {.categorical_auto = true};
    tanda_dataset *dataset = load(write_text("n.csv", "1,u,0\n2,v,1\n"), &options);
    prepare(dataset, NULL);
    assert_names(dataset, NAMES("0", "1=u", "1=v"));
    assert_values(dataset, 2, 3, VALUES(1, 1, 0, 2, 0, 1));
    tanda_dataset_free(dataset);
    dataset = load(write_text("n.csv", "1,u,0\n2,v,1\n"),
                   &(tanda_dataset_options){.categorical = NAMES("1"), .categorical_count = 1});
    cr_assert_eq(dataset->rows, 2);
    tanda_dataset_free(dataset);
    dataset =
        load(write_text("m.csv", "NA,2,0\n3,?,1\n"), &(tanda_dataset_options){.missing = TANDA_MISSING_MEAN});
    cr_assert_eq(dataset->rows, 2);
    tanda_dataset_free(dataset);
    dataset = load(write_text("h.csv", "7,colour,size,y\n1,u,2,0\n2,v,3,1\n"), &options);
    cr_assert_eq(dataset->rows, 2);
    cr_assert_str_eq(dataset->feature_names[0], "7");
    tanda_dataset_free(dataset);
}

Test(preparation, what_cannot_be_is_refused_with_its_place) {
    const tanda_dataset_options category = {.categorical = NAMES("b"), .categorical_count = 1};
    refuse(write_text("e.csv", "a,b,y\n1,u,0\n2,,1\n"), &category,
           "e.csv:3:2: empty field: missing values are not accepted; --missing mean takes it (column b)");
    refuse(write_text("e.csv", "a,b,y\n1,u,0\n,v,1\n"), &category,
           "e.csv:3:1: empty field: missing values are not accepted; --missing mean fills it in (column a)");
    refuse(write_text("e.csv", "a,b,y\n1,u,0\nNA,v,1\n"), &category,
           "e.csv:3:1: 'NA' is not a number; --missing mean fills it in (column a)");
    refuse(write_text("e.csv", "a,b,y\n1,u,0\n2,caf\xe9,1\n"), &category,
           "e.csv:3:2: the text is not UTF-8 (column b)");
    tanda_dataset_options missing = {.missing = TANDA_MISSING_MEAN};
    refuse(write_text("e.csv", "a,b,y\n1,u,0\n2,3,1\n"), &missing,
           "e.csv:2:2: 'u' is not a number; --categorical takes text (column b)");
    refuse(write_text("e.csv", "a,b,y\n1,inf,0\n2,3,1\n"), &missing,
           "e.csv:2:2: 'inf' is not finite: missing and infinite values are not accepted (column b)");
    refuse(write_text("e.csv", "a,b,y\n1,2,0\n2,3,\n"), &missing,
           "e.csv:3:3: the target is missing; --drop-missing-targets leaves this row out (column y)");
    missing.sample_weight = "b";
    refuse(write_text("e.csv", "a,b,y\n1,2,0\n2,?,1\n"), &missing,
           "e.csv:3:2: '?' is not a number (column b)");
    static const struct {
        const char *name;
        const char *message;
    } cases[] = {
        {"y", "--categorical: 'y' is none of the features; leave it away"},
        {"bb", "--categorical 'bb': no such column in u.csv; its columns are a, b, y"},
    };
    write_text("u.csv", "a,b,y\n1,u,0\n2,v,1\n");
    for (size_t i = 0; i < 2; i++)
        refuse_expecting(path_of("u.csv"),
                         &(tanda_dataset_options){.categorical = &cases[i].name, .categorical_count = 1},
                         NULL, TANDA_USAGE, cases[i].message);
}

Test(preparation, a_column_without_a_value_is_refused) {
    static const char *const texts[] = {"a,b,y\n1,,0\n2,NA,1\n", "a,b,y\nu,?,0\nv,,1\n"};
    for (size_t i = 0; i < 2; i++) {
        tanda_error error = {0};
        preparation made;
        tanda_dataset_options options = {.missing = TANDA_MISSING_MEAN, .categorical_auto = i == 1};
        options.categorical = NAMES("b");
        options.categorical_count = i;
        tanda_dataset *dataset = load(write_text("void.csv", texts[i]), &options);
        cr_assert_eq(preparation_fit(dataset, false, &made, &error), TANDA_BAD_INPUT);
        cr_assert(strstr(error.message, "void.csv: feature b has no value in the training rows") != NULL,
                  "%s", error.message);
        tanda_dataset_free(dataset);
    }
}

Test(preparation, too_many_categories_are_taken_for_a_mistake) {
    char *text = malloc(200000);
    size_t at = (size_t)sprintf(text, "id,y\n");
    for (int i = 0; i <= CATEGORIES_MAX; i++)
        at += (size_t)sprintf(text + at, "k%d,%d\n", i, i % 2);
    refuse(write_text("many.csv", text), &(tanda_dataset_options){.categorical_auto = true},
           "many.csv:4098:1: more than 4096 categories so far: is this column an identifier or a quantity? "
           "leave it out with --ignore (column id)");
    *strstr(text, "k4096") = '\0';
    tanda_dataset *dataset =
        load(write_text("many.csv", text), &(tanda_dataset_options){.categorical_auto = true});
    prepare(dataset, NULL);
    cr_assert_eq(dataset->features, CATEGORIES_MAX);
    for (size_t row = 0; row < dataset->rows; row++) {
        char name[32];
        float sum = 0;
        sprintf(name, "id=k%zu", row);
        for (size_t i = 0; i < CATEGORIES_MAX; i++) {
            float value = dataset->values[row * CATEGORIES_MAX + i];
            sum += value;
            if (value == 1.0f) cr_assert_str_eq(dataset->feature_names[i], name);
        }
        cr_assert_eq(sum, 1.0f);
    }
    tanda_dataset_free(dataset);
    free(text);
}

/* ---- other rows --------------------------------------------------------------------------------------- */

static void refuse_rows(tanda_dataset *dataset, const preparation *preparation, const char *message) {
    tanda_error error = {0};
    cr_assert_eq(dataset_prepare(dataset, preparation, TANDA_UNKNOWN_AUTO, &error), TANDA_BAD_INPUT);
    cr_assert(strstr(error.message, message) != NULL, "%s", error.message);
}

Test(preparation, rows_of_another_file_get_the_training_rows_features) {
    preparation preparation;
    tanda_dataset *training = load(write_text("mixed.csv", mixed), &mixed_options);
    const dataset_expectation expected = dataset_expect(training);
    tanda_dataset *other = load_expecting(
        write_text("o.csv", "kind,size,colour,x,height,age\nb,9.5,red,1,,3\na,2,blue,2,1.5,\n"), NULL,
        &expected);
    tanda_dataset *known = load_expecting(
        write_text("k.csv", "kind,size,colour,height,age\nb,+9.0,red,,3\na,2,blue,1.5,\n"), NULL, &expected);
    prepare(training, &preparation);
    refuse_rows(other, &preparation,
                "o.csv:2:2: '9.5' is none of the 3 categories of the training rows, such as '2'; "
                "--unknown-category zero takes it (column size)");
    cr_assert_eq(dataset_prepare(other, &preparation, TANDA_UNKNOWN_ZERO, NULL), TANDA_OK);
    assert_values(other, 2, 9, VALUES(3, 0, 0, 0, 1, 1.692f, 0, 0, 0, 39, 1, 0, 0, 0, 1.5f, 1, 0, 0));
    cr_assert_eq(dataset_prepare(known, &preparation, TANDA_UNKNOWN_REFUSE, NULL), TANDA_OK);
    assert_values(known, 2, 9, VALUES(3, 0, 0, 0, 1, 1.692f, 0, 1, 0, 39, 1, 0, 0, 0, 1.5f, 1, 0, 0));
    tanda_dataset_free(known);
    tanda_dataset_free(other);
    tanda_dataset_free(training);
    preparation_free(&preparation);
}

/* Of a split, only the training part is looked at; the file is named for what only the other part has. */
Test(preparation, a_split_is_fitted_on_its_training_part) {
    tanda_dataset *part[2] = {NULL, NULL};
    preparation preparation;
    char text[2000] = "n,c,y\n";
    for (int row = 0; row < 40; row++)
        sprintf(text + strlen(text), "%s,c%d,%d\n", row % 4 == 0 ? "" : "1e3", row, row % 2);
    tanda_dataset *all =
        load(write_text("s.csv", text), &(tanda_dataset_options){.categorical = NAMES("c"),
                                                                 .categorical_count = 1,
                                                                 .missing = TANDA_MISSING_MEAN});
    cr_assert_eq(dataset_split(all, 0.25, true, 1, &part[0], &part[1], NULL), TANDA_OK);
    tanda_dataset_free(all);
    size_t first = (size_t)part[1]->values[1]; /* categories are numbered by the rows where they come first */
    for (size_t row = 0; row < part[0]->rows; row++)
        if (part[0]->values[2 * row] == 1000) part[0]->owned[2 * row] = 7;
    prepare(part[0], &preparation);
    cr_assert_eq(preparation.of[0].mean, 7);
    cr_assert_eq(preparation.of[1].category_count, 30);
    char message[100];
    sprintf(message, "s.csv:%zu:2: 'c%zu' is none of the 30 categories", first + 2, first);
    refuse_rows(part[1], &preparation, message);
    cr_assert_eq(dataset_prepare(part[1], &preparation, TANDA_UNKNOWN_ZERO, NULL), TANDA_OK);
    for (size_t row = 0; row < part[1]->rows; row++) {
        float value = part[1]->values[31 * row];
        cr_assert(value == 7 || value == 1000, "%g", value);
        for (size_t i = 1; i < 31; i++)
            cr_assert_eq(part[1]->values[31 * row + i], 0);
    }
    tanda_dataset_free(part[0]);
    tanda_dataset_free(part[1]);
    preparation_free(&preparation);
}

Test(preparation, a_long_file_is_read_by_several_threads) {
    size_t rows = 40000, at = 0;
    char *text = malloc(rows * 40);
    for (size_t row = 0; row < rows; row++)
        at += (size_t)sprintf(text + at, row % 5 == 1 ? "?,k%zu,%zu\n" : "%2$zu,k%1$zu,%2$zu\n",
                              row * 31 % 97, row % 7);
    for (size_t quoted = 0; quoted < 2; quoted++) {
        if (quoted == 1) memcpy(text + at, "6,\"k6\",6\n", 10);
        tanda_dataset *dataset =
            load(write_text("long.csv", text),
                 &(tanda_dataset_options){.categorical_auto = true, .missing = TANDA_MISSING_MEAN});
        preparation preparation;
        prepare(dataset, &preparation);
        cr_assert_eq(dataset->rows, rows + quoted);
        cr_assert_eq(dataset->features, 98);
        cr_assert_eq(dataset->missing, rows / 5);
        for (size_t row = 0; row < rows; row++) {
            const float *values = dataset->values + row * 98;
            cr_assert_eq(values[0], row % 5 == 1 ? preparation.of[0].mean : (float)(row % 7));
            for (size_t i = 0; i < 97; i++)
                cr_assert_eq(values[i + 1], (float)(strtoul(preparation.of[1].categories[i] + 1, NULL, 10) ==
                                                    row * 31 % 97));
        }
        preparation_free(&preparation);
        tanda_dataset_free(dataset);
    }
    free(text);
}

/* ---- the model file ----------------------------------------------------------------------------------- */

static void assert_same(const preparation *a, const preparation *b) {
    cr_assert_eq(a->columns, b->columns);
    cr_assert_eq(a->fills_missing, b->fills_missing);
    cr_assert_eq(a->zero_unknown, b->zero_unknown);
    for (size_t i = 0; i < a->columns; i++) {
        cr_assert_str_eq(a->names[i], b->names[i]);
        cr_assert_eq(a->is_category[i], b->is_category[i]);
        cr_assert_eq(a->of[i].mean, b->of[i].mean);
        cr_assert_eq(a->of[i].category_count, b->of[i].category_count);
        for (size_t c = 0; c < a->of[i].category_count; c++)
            cr_assert_str_eq(a->of[i].categories[c], b->of[i].categories[c]);
    }
}

Test(preparation, a_model_keeps_it_and_prepares_by_it) {
    tanda_model *model = NULL, *loaded = NULL;
    tanda_error error = {0};
    tanda_dataset *training = load(write_text("mixed.csv", mixed), &mixed_options), *other = NULL;
    preparation preparation;
    prepare(training, &preparation);
    cr_assert_eq(model_create(9, 1, NULL, (size_t[]){1}, (activation[]){ACTIVATION_SIGMOID},
                              LOSS_BINARY_CROSSENTROPY, TANDA_TASK_CLASSES, &model, &error),
                 TANDA_OK);
    model->preparation = preparation;
    model->preparation.zero_unknown = true;
    cr_assert_eq(copy_texts(&model->class_names, training->class_names, 2, &error), TANDA_OK);
    cr_assert_eq(copy_text(&model->target_name, "kind", &error), TANDA_OK);
    cr_assert_eq(model_file_save(model, path_of("m.safetensors"), &error), TANDA_OK, "%s", error.message);
    cr_assert_eq(model_file_load(path_of("m.safetensors"), &loaded, &error), TANDA_OK, "%s", error.message);
    assert_same(&model->preparation, &loaded->preparation);
    const char *path = write_text("o.csv", "size,colour,height,age\n9,black,,3\n");
    tanda_dataset_options options = {.size = sizeof options, .without_target = true};
    cr_assert_eq(tanda_dataset_load_for_model(path, &options, loaded, &other, &error), TANDA_OK, "%s",
                 error.message);
    assert_values(other, 1, 9, VALUES(3, 0, 0, 0, 0, 1.692f, 0, 1, 0));
    tanda_dataset_free(other);
    options.unknown = TANDA_UNKNOWN_REFUSE;
    cr_assert_eq(tanda_dataset_load_for_model(path, &options, loaded, &other, &error), TANDA_BAD_INPUT);
    tanda_model_free(loaded);
    tanda_model_free(model);
    tanda_dataset_free(training);
}
