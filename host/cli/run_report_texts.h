/* What tanda report says: id, English, Spanish. */
#ifndef TANDA_CLI_RUN_REPORT_TEXTS_H
#define TANDA_CLI_RUN_REPORT_TEXTS_H

#include "tanda_lab.h"

#define REPORT_TEXTS(TEXT) \
    TEXT(report_title, "Report of %zu trainings", "Informe de %zu entrenamientos") \
    TEXT(report_title_one, "Report of %s", "Informe de %s") \
    TEXT(report_title_model, "Report of the model %s", "Informe del modelo %s") \
    TEXT(report_runs, "Trainings", "Entrenamientos") \
    TEXT(report_run, "training", "entrenamiento") \
    TEXT(report_optimizer, "optimizer", "optimizador") \
    TEXT(report_epochs, "epochs", "épocas") \
    TEXT(report_epoch, "epoch", "época") \
    TEXT(report_best, "best epoch", "mejor época") \
    TEXT(report_seconds, "seconds", "segundos") \
    TEXT(report_best_why, \
         "The best epoch is that of the least val_loss, or loss where nothing was held out.", \
         "La mejor época es la de menor val_loss, o loss si no se apartaron filas.") \
    TEXT(report_going_on, "A training without optimizer has not ended yet, or was stopped.", \
         "Un entrenamiento sin optimizador no ha terminado todavía, o se detuvo.") \
    TEXT(report_loss, "Loss", "Coste") \
    TEXT( \
        report_loss_caption, \
        "The loss of an epoch is the mean over its steps, while the weights change. Dashed: validation.", \
        "El coste de una época es la media de sus pasos, mientras los pesos cambian. A trazos: validación.") \
    TEXT(report_accuracy, "Accuracy", "Exactitud") \
    TEXT(report_accuracy_caption, "The share of rows whose class is right. Dashed: validation.", \
         "La parte de filas cuya clase es correcta. A trazos: validación.") \
    TEXT(report_rate, "Learning rate", "Tasa de aprendizaje") \
    TEXT(report_rate_caption, "As the schedule sets it at the end of each epoch.", \
         "La que fija la planificación al final de cada época.") \
    TEXT(report_model, "The model on data", "El modelo ante los datos") \
    TEXT(report_model_of, "%s on the %zu rows of %s, computed by %s.", \
         "%s ante las %zu filas de %s, calculado por %s.") \
    TEXT(report_metric, "metric", "métrica") \
    TEXT(report_value, "value", "valor") \
    TEXT(report_confusion, "Confusion matrix", "Matriz de confusión") \
    TEXT(report_confusion_caption, \
         "Of the rows of a true class (line), the share that is said to be of each class " \
         "(column), with counts where there is room.", \
         "De las filas de una clase verdadera (línea), la parte que se asigna a cada clase (columna), con " \
         "el número " \
         "de filas donde cabe.") \
    TEXT(report_truth, "truth", "verdad") \
    TEXT(report_prediction, "prediction", "predicción") \
    TEXT(report_share, "share of the class", "parte de la clase") \
    TEXT(report_roc, "ROC curve", "Curva ROC") \
    TEXT(report_roc_caption, \
         "Each class against the rest, for every threshold of its probability; of more than 8 the " \
         "8 with the least area. Chance is the dashed line.", \
         "Cada clase frente al resto, para cada umbral de su probabilidad; de más de 8, las 8 de menor " \
         "área. La línea " \
         "a trazos es el azar.") \
    TEXT(report_false_positives, "false positive rate", "tasa de falsos positivos") \
    TEXT(report_true_positives, "true positive rate (recall)", "tasa de verdaderos positivos") \
    TEXT(report_area, "%s (area %.4f)", "%s (área %.4f)") \
    TEXT(report_pr, "Precision and recall", "Precisión y exhaustividad") \
    TEXT(report_pr_caption, \
         "For the same thresholds: of the rows said to be of a class, how many are (precision), and " \
         "of those that are, how many are found (recall). The area is average precision.", \
         "Para los mismos umbrales: de las filas asignadas a una clase, cuántas lo son (precisión), y de " \
         "las que lo " \
         "son, cuántas se encuentran (exhaustividad). El área es la precisión media.") \
    TEXT(report_recall, "recall", "exhaustividad") \
    TEXT(report_precision, "precision", "precisión") \
    TEXT(report_reliability, "Reliability", "Fiabilidad") \
    TEXT(report_reliability_caption, \
         "Rows in 10 bins of the probability: of what is said with 0.8, a share of 0.8 should be so (the " \
         "dashed line). " \
         "Below the line the model is too sure.", \
         "Las filas en 10 intervalos de la probabilidad: de lo que se afirma con 0.8, una parte de 0.8 " \
         "debería ser así " \
         "(la línea a trazos). Por debajo, el modelo está demasiado seguro.") \
    TEXT(report_probability, "mean probability", "probabilidad media") \
    TEXT(report_right, "share that is so", "parte que es así") \
    TEXT(report_top, "the class said", "la clase que se dice") \
    TEXT(report_predicted, "Predicted against true", "Lo predicho frente a lo verdadero") \
    TEXT(report_predicted_caption, \
         "Each point is a row; on the dashed line the prediction is the truth. Of many rows every so many " \
         "are " \
         "shown.", \
         "Cada punto es una fila; sobre la línea a trazos, la predicción es la verdad. De muchas filas se " \
         "muestra una de cada tantas.") \
    TEXT(report_residuals, "Residuals", "Residuos") \
    TEXT(report_residual, "truth - prediction", "verdad - predicción") \
    TEXT(report_residuals_caption, \
         "What the prediction lacks to the truth. Points should lie around 0 everywhere: a bow or a funnel " \
         "is " \
         "something that the model has not learnt.", \
         "Lo que le falta a la predicción para ser la verdad. Los puntos deben rodear el 0 en todas " \
         "partes: una " \
         "curva o un embudo es algo que el modelo no ha aprendido.") \
    TEXT(report_weights, "Weights of the first layer", "Pesos de la primera capa") \
    TEXT(report_weights_caption, \
         "Each unit's weights as an image of the features, %zu x %zu; red is above 0, blue " \
         "below. %zu of %zu units are shown.", \
         "Los pesos de cada unidad como imagen de las variables, %zu x %zu; rojo por encima de 0, azul por " \
         "debajo. Se " \
         "muestran %zu de %zu unidades.") \
    TEXT(report_mistakes, "Most confident mistakes", "Los errores más seguros") \
    TEXT(report_mistakes_why, \
         "%zu of %zu rows are wrong. Here are those that the model is surest of; look at them in " \
         "the data: some labels may be wrong.", \
         "%zu de %zu filas están mal. Estas son las que el modelo da por más seguras; mírelas en los " \
         "datos: puede " \
         "haber etiquetas equivocadas.") \
    TEXT(report_no_mistakes, "All rows are right.", "Todas las filas están bien.") \
    TEXT(report_probability_said, "probability", "probabilidad") \
    TEXT(report_row, "row", "fila")

REPORT_TEXTS(TEXT_DEFINE)

#endif
