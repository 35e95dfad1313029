/* What tanda surface says: id, English, Spanish. */
#ifndef TANDA_CLI_SURFACE_TEXTS_H
#define TANDA_CLI_SURFACE_TEXTS_H

#include "tanda_lab.h"

#define SURFACE_TEXTS(TEXT) \
    TEXT(surface_title, "The landscape of the cost of %s", "El paisaje del coste de %s") \
    TEXT(surface_network, \
         "Network %s with %zu parameters, loss %s, over the %zu training rows of %s. Computed by %s.", \
         "Red %s con %zu parámetros, coste %s, sobre las %zu filas de entrenamiento de %s. Calculado por " \
         "%s.") \
    TEXT(surface_of_both, "The weights %s and %s are all that the network has.", \
         "Los pesos %s y %s son todos los que tiene la red.") \
    TEXT(surface_of_weights, \
         "The weights %s and %s change, and all others are as at the end of the training with %s. The " \
         "paths of " \
         "trainings leave this plane: they are drawn where these two weights are, and their costs are " \
         "their own.", \
         "Los pesos %s y %s cambian, y todos los demás son los del final del entrenamiento con %s. Los " \
         "caminos de " \
         "los entrenamientos salen de este plano: se dibujan donde están estos dos pesos, y sus costes son " \
         "los " \
         "suyos.") \
    TEXT(surface_of_directions, \
         "The plane goes through the weights at the end of the training with %s, along two random " \
         "directions " \
         "(seed %llu). In each of them a unit's weights are as long as the model's own, and biases stay " \
         "(Li et " \
         "al. 2018, arXiv 1712.09913). The paths of trainings leave this plane: they are drawn where their " \
         "projection lies, and their costs are their own.", \
         "El plano pasa por los pesos del final del entrenamiento con %s, en dos direcciones al azar " \
         "(semilla " \
         "%llu). En cada una, los pesos de una unidad miden lo mismo que los del modelo, y los sesgos no " \
         "cambian " \
         "(Li et al. 2018, arXiv 1712.09913). Los caminos de los entrenamientos salen de este plano: se " \
         "dibujan " \
         "donde cae su proyección, y sus costes son los suyos.") \
    TEXT(surface_penalised, "The cost is the mean loss with the penalties: l1 = %g, l2 = %g.", \
         "El coste es la media de la función de coste con las penalizaciones: l1 = %g, l2 = %g.") \
    TEXT(surface_trainings, "Trainings", "Entrenamientos") \
    TEXT(surface_optimizer, "optimizer", "optimizador") \
    TEXT(surface_rate, "learning rate", "tasa de aprendizaje") \
    TEXT(surface_batch, "batch", "lote") \
    TEXT(surface_steps, "steps", "pasos") \
    TEXT(surface_first, "first cost", "primer coste") \
    TEXT(surface_last, "last cost", "último coste") \
    TEXT(surface_diverged, \
         "The training with %s diverged: its path ends with step %llu, the last that was seen before.", \
         "El entrenamiento con %s divergió: su camino acaba en el paso %llu, el último que se vio antes.") \
    TEXT(surface_cost, "cost", "coste") \
    TEXT(surface_log_cost, "log₁₀ of the cost", "log₁₀ del coste") \
    TEXT(surface_direction_name, "direction %d", "dirección %d") \
    TEXT(surface_bias, "%s (bias)", "%s (sesgo)") \
    TEXT(surface_contour, "Cost and paths", "El coste y los caminos") \
    TEXT(surface_contour_projected, "Cost and paths, projected on the plane", \
         "El coste y los caminos, proyectados en el plano") \
    TEXT(surface_contour_caption, \
         "Lines of equal cost. All paths go from the same first weights (start) to where their training " \
         "ends.", \
         "Líneas de igual coste. Todos los caminos van de los mismos pesos (inicio) al final de su " \
         "entrenamiento.") \
    TEXT(surface_start, "start", "inicio") \
    TEXT(surface_surface, "The surface of the cost", "La superficie del coste") \
    TEXT(surface_surface_caption, "The same in three dimensions: the height is the cost.", \
         "Lo mismo en tres dimensiones: la altura es el coste.") \
    TEXT(surface_descent, "The cost step by step", "El coste paso a paso") \
    TEXT(surface_descent_caption, "The cost over all training rows, with the weights after each step.", \
         "El coste sobre todas las filas de entrenamiento, con los pesos tras cada paso.") \
    TEXT(surface_step, "step", "paso") \
    TEXT(surface_sigmoid, "The sigmoid over the data", "La sigmoide sobre los datos") \
    TEXT(surface_output, "The output over the data", "La salida sobre los datos") \
    TEXT(surface_sigmoid_caption, \
         "What the model says at each place, before the training (dashed) and after it with %s. Points are " \
         "the " \
         "rows.", \
         "Lo que dice el modelo en cada lugar, antes del entrenamiento (a trazos) y después, con %s. Los " \
         "puntos " \
         "son las filas.") \
    TEXT(surface_border_caption, \
         "What the model says at each place after the training with %s; the line is the border between the " \
         "classes. Points are the rows.", \
         "Lo que dice el modelo en cada lugar tras el entrenamiento con %s; la línea es la frontera entre " \
         "las " \
         "clases. Los puntos son las filas.") \
    TEXT(surface_probability, "probability of %s", "probabilidad de %s") \
    TEXT(surface_before, "before", "antes") \
    TEXT(surface_after, "after", "después") \
    TEXT(surface_border, "border: %s = %.4g", "frontera: %s = %.4g") \
    TEXT(surface_no_sigmoid, \
         "There is no sigmoid over the data: it is drawn of models with one feature and one output, and of " \
         "perceptrons that tell two classes by two features, and this one is %s.", \
         "No hay sigmoide sobre los datos: se dibuja de modelos con una variable y una salida, y de " \
         "perceptrones " \
         "que separan dos clases con dos variables, y este es %s.") \
    TEXT(surface_regions, "Decision regions", "Regiones de decisión") \
    TEXT(surface_regions_of, "Decision regions: %s", "Regiones de decisión: %s") \
    TEXT( \
        surface_regions_caption, \
        "Which class the model says at each place, while it is trained with %s. Points are the rows: %s.", \
        "Qué clase dice el modelo en cada lugar, mientras se entrena con %s. Los puntos son las filas: %s.") \
    TEXT(surface_frame, "step %llu", "paso %llu") \
    TEXT(surface_no_regions, \
         "There are no decision regions: they are drawn of models that tell classes by two features, and " \
         "this " \
         "one is %s.", \
         "No hay regiones de decisión: se dibujan de modelos que distinguen clases con dos variables, y " \
         "este es " \
         "%s.")

SURFACE_TEXTS(TEXT_DEFINE)

#endif
