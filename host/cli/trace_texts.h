/* What tanda trace says: id, English, Spanish. */
#ifndef TANDA_CLI_TRACE_TEXTS_H
#define TANDA_CLI_TRACE_TEXTS_H

#include "tanda_lab.h"

#define TRACE_TEXTS(TEXT) \
    TEXT(trace_title, "Row %zu through step %llu", "La fila %zu en el paso %llu") \
    TEXT(trace_place, "Row %zu of %s, in step %zu of epoch %llu: a batch of %zu of %zu rows.", \
         "Fila %zu de %s, en el paso %zu de la época %llu: un lote de %zu de las %zu filas.") \
    TEXT(trace_network, "Network %s with %zu parameters, loss %s, optimizer %s.", \
         "Red %s con %zu parámetros, coste %s, optimizador %s.") \
    TEXT(trace_device, "Computed by %s.", "Calculado por %s.") \
    TEXT(trace_features, "1. What goes in", "1. Lo que entra") \
    TEXT(trace_scaled, "Features are scaled before they go in.", \
         "Las variables se escalan antes de entrar.") \
    TEXT(trace_forward, "2. Forward", "2. Hacia delante") \
    TEXT(trace_layer, "Layer %zu: %s, %zu units", "Capa %zu: %s, %zu unidades") \
    TEXT(trace_layer_one, "Layer %zu: %s, 1 unit", "Capa %zu: %s, 1 unidad") \
    TEXT(trace_loss, "The loss of this row", "El coste de esta fila") \
    TEXT(trace_mean_of_outputs, "The mean over the %zu outputs:", "La media de las %zu salidas:") \
    TEXT(trace_weighted, "The row's weight is %s, and its loss is multiplied by it.", \
         "El peso de la fila es %s, y su coste se multiplica por él.") \
    TEXT(trace_smoothed, "Labels are smoothed by %s first.", "Antes, las etiquetas se suavizan en %s.") \
    TEXT(trace_mean_loss, "Over all %zu rows of the batch the mean loss is %s.", \
         "En las %zu filas del lote, el coste medio es %s.") \
    TEXT(trace_backward, "3. Backward", "3. Hacia atrás") \
    TEXT( \
        trace_backward_why, \
        "From the loss to the weights by the chain rule. Beside each derivative stands its finite " \
        "difference, " \
        "(L(x + h) - L(x - h)) / 2h in double precision: it knows nothing of the rule, and has to say the " \
        "same.", \
        "Del coste a los pesos por la regla de la cadena. Junto a cada derivada está su diferencia finita, " \
        "(L(x + h) - L(x - h)) / 2h en doble precisión: no sabe nada de la regla y tiene que decir lo " \
        "mismo.") \
    TEXT(trace_deltas, "Deltas of layer %zu: δ = ∂L/∂z", "Deltas de la capa %zu: δ = ∂L/∂z") \
    TEXT(trace_gradients, "Weights of layer %zu", "Pesos de la capa %zu") \
    TEXT(trace_mean_rule, \
         "A weight's derivative is the mean over the %zu rows of the batch; the column of this row is its " \
         "part.", \
         "La derivada de un peso es la media de las %zu filas del lote; la columna de esta fila es su " \
         "parte.") \
    TEXT(trace_derivative, "derivative", "derivada") \
    TEXT(trace_formula, "formula", "fórmula") \
    TEXT(trace_numbers, "numbers", "números") \
    TEXT(trace_value, "value", "valor") \
    TEXT(trace_this_row, "this row", "esta fila") \
    TEXT(trace_mean, "mean g", "media g") \
    TEXT(trace_difference, "finite diff.", "dif. finita") \
    TEXT(trace_update, "4. New weights", "4. Pesos nuevos") \
    TEXT(trace_constants, "with %s", "con %s") \
    TEXT(trace_penalised, "g is what penalties and clipping leave of the derivative: %s", \
         "g es lo que dejan de la derivada las penalizaciones y los recortes: %s") \
    TEXT(trace_weight, "weight", "peso") \
    TEXT(trace_before, "before", "antes") \
    TEXT(trace_after, "after", "después") \
    TEXT(trace_agrees, "All %zu derivatives agree with their finite differences.", \
         "Las %zu derivadas coinciden con sus diferencias finitas.") \
    TEXT(trace_corners, \
         "%zu of them stand at a corner (?), where the slopes to the left and to the right differ.", \
         "%zu de ellas están en una esquina (?), donde las pendientes a izquierda y derecha son distintas.") \
    TEXT(trace_differs, \
         "%zu of %zu derivatives differ from their finite differences (✗): the device computes wrongly.", \
         "%zu de las %zu derivadas difieren de sus diferencias finitas (✗): el dispositivo calcula mal.") \
    TEXT(trace_bits, "The numbers are those of a training, in all digits that binary32 has.", \
         "Los números son los de un entrenamiento, con todas las cifras que tiene binary32.")

TRACE_TEXTS(TEXT_DEFINE)

#endif
