/* What the page of the lab says. */
#ifndef TANDA_LAB_LAB_TEXTS_H
#define TANDA_LAB_LAB_TEXTS_H

#include "page/texts.h"

#define LAB_TEXTS(TEXT) \
    TEXT(lab_title, "Lab: devices held against one another", "Laboratorio: dispositivos frente a frente") \
    TEXT(lab_title_two, "Lab: two runs held against one another", \
         "Laboratorio: dos medidas frente a frente") \
    TEXT(lab_red, "The bits differ: %s on %s does not compute what %s computes. No figure of it counts.", \
         "Los bits difieren: %s en %s no calcula lo mismo que %s. Ninguna de sus cifras vale.") \
    TEXT(lab_equal, "All exact rows agree to the bit: losses and weights after %d steps.", \
         "Todas las filas exactas coinciden bit a bit: costes y pesos tras %d pasos.") \
    TEXT(lab_measured, \
         "Measured on %s with tanda %s: %zu rounds in %.0f s (planned for %.0f s); each time is of " \
         "some %.3g ms, or of one step that takes longer.", \
         "Medido el %s con tanda %s: %zu rondas en %.0f s (previstos %.0f s); cada tiempo abarca unos " \
         "%.3g ms, o un solo paso si tarda más.") \
    TEXT( \
        lab_cut, \
        "The time ran out: %zu of %zu rounds are whole, and fewer rounds make fewer verdicts. Others used " \
        "the " \
        "machine, or kernels were compiled for the first time.", \
        "Se acabó el tiempo: %zu de %zu rondas están completas, y menos rondas dan menos veredictos. Otros " \
        "usaban la máquina o se compilaron núcleos por primera vez.") \
    TEXT(lab_how, \
         "Each round measures every workload on every device, one after the other; figures are medians of " \
         "the rounds, brackets their quartiles.", \
         "Cada ronda mide cada carga en cada dispositivo, uno tras otro; las cifras son medianas de las " \
         "rondas y los corchetes, sus cuartiles.") \
    TEXT(lab_machine, "The machine and its limits", "La máquina y sus límites") \
    TEXT(lab_host, "%s: %zu CPUs, %zu MHz.", "%s: %zu CPU, %zu MHz.") \
    TEXT(lab_scaling_clock, "The clock follows the load: times depend on what ran before.", \
         "El reloj sigue a la carga: los tiempos dependen de lo anterior.") \
    TEXT(lab_device, "device", "dispositivo") \
    TEXT(lab_name, "name", "nombre") \
    TEXT(lab_units, "units", "unidades") \
    TEXT(lab_reads, "reads GB/s", "lectura GB/s") \
    TEXT(lab_fma, "fma GFLOP/s", "fma GFLOP/s") \
    TEXT(lab_launch, "empty launch µs", "lanzamiento vacío µs") \
    TEXT(lab_transfer_rate, "to device GB/s", "hacia el dispositivo GB/s") \
    TEXT(lab_missed, "%s missed %s in its self-test.", "%s falló %s en su autoprueba.") \
    TEXT(lab_verdicts, "Who is faster?", "¿Cuál es más rápido?") \
    TEXT( \
        lab_verdicts_how, \
        "Each device against %s. A tie is within 5 %% in nearly all rounds, and faster is by more than 10 " \
        "%% " \
        "in nearly all. A verdict is withheld (?) between, where the quartiles overlap, where chance would " \
        "do " \
        "as much in more than 1 of 20 cases (Mann and Whitney's test), or where others used more than 5 %% " \
        "of the cores.", \
        "Cada dispositivo frente a %s. Empatan si en casi todas las rondas distan menos del 5 %%, y uno es " \
        "más " \
        "rápido si lo es en más del 10 %% en casi todas. No se da veredicto (?) entre ambos, si los " \
        "cuartiles " \
        "se solapan, si el azar lo haría en más de 1 de 20 casos (prueba de Mann y Whitney) o si otros " \
        "usaron " \
        "más del 5 %% de los núcleos.") \
    TEXT(lab_workload, "workload", "carga") \
    TEXT(lab_time, "time of a step", "tiempo de un paso") \
    TEXT(lab_ratio, "times as fast", "veces tan rápido") \
    TEXT(lab_p, "p", "p") \
    TEXT(lab_verdict_title, "verdict", "veredicto") \
    TEXT(lab_bits, "bits", "bits") \
    TEXT(lab_same_bits, "agree", "iguales") \
    TEXT(lab_other_bits, "differ", "distintos") \
    TEXT(lab_fast_bits, "fast: not compared", "rápido: sin comparar") \
    TEXT(lab_is_faster, "faster", "más rápido") \
    TEXT(lab_is_slower, "slower", "más lento") \
    TEXT(lab_is_same, "tie", "empate") \
    TEXT(lab_is_busy, "? (others used cores)", "? (otros usaban núcleos)") \
    TEXT(lab_is_overlap, "? (the quartiles overlap)", "? (los cuartiles se solapan)") \
    TEXT(lab_is_near, "? (neither apart nor a tie)", "? (ni distintos ni empate)") \
    TEXT(lab_is_unsure, "? (chance could do it)", "? (pudo ser el azar)") \
    TEXT(lab_roofline, "Roofline", "Roofline") \
    TEXT(lab_roofline_how, \
         "Each workload by the operations that a byte of its rows needs, and what was reached of them. " \
         "Above a roof of memory or of computing nothing can lie but what the caches hold.", \
         "Cada carga según las operaciones por byte de sus filas y lo que se alcanzó. Por encima de los " \
         "techos de memoria y de cálculo solo cabe lo que guardan las cachés.") \
    TEXT(lab_intensity, "FLOP per byte", "FLOP por byte") \
    TEXT(lab_rate, "GFLOP/s", "GFLOP/s") \
    TEXT(lab_roof, "roof of %s", "techo de %s") \
    TEXT(lab_crossover, "Where does it cross?", "¿Dónde se cruzan?") \
    TEXT(lab_map_caption, \
         "Which of %s and %s is faster, by batch and width: the colour is the logarithm to base 2 of the " \
         "ratio of times, blue for %s.", \
         "Cuál de %s y %s es más rápido, según lote y anchura: el color es el logaritmo en base 2 de la " \
         "razón de tiempos, azul para %s.") \
    TEXT(lab_tie_line, "tie", "empate") \
    TEXT(lab_batch, "batch", "lote") \
    TEXT(lab_width, "width", "anchura") \
    TEXT(lab_log_ratio, "log2 of the ratio", "log2 de la razón") \
    TEXT(lab_fit, "The line t0 + n / r", "La recta t0 + n / r") \
    TEXT( \
        lab_fit_how, \
        "A step of n rows takes t0, whatever it does, and n / r for its rows. Two such lines cross at n = " \
        "(t0′ − t0) / (1/r − 1/r′), which says something where both are within %d %% of the times around " \
        "it.", \
        "Un paso de n filas tarda t0, haga lo que haga, y n / r por sus filas. Dos rectas así se cruzan " \
        "en n = (t0′ − t0) / (1/r − 1/r′), que dice algo si ambas distan menos del %d %% de los tiempos de " \
        "alrededor.") \
    TEXT(lab_series_title, "series", "serie") \
    TEXT(lab_rows_series, "rows", "filas") \
    TEXT(lab_width_series, "width %zu", "anchura %zu") \
    TEXT(lab_t0, "t0 µs", "t0 µs") \
    TEXT(lab_r, "r rows/µs", "r filas/µs") \
    TEXT(lab_pair, "devices", "dispositivos") \
    TEXT(lab_predicted, "tie predicted at", "empate previsto en") \
    TEXT(lab_tie_measured, "tie measured at", "empate medido en") \
    TEXT(lab_no_tie, "none clear in range", "ninguno claro en el rango") \
    TEXT(lab_in_rounds, "in rounds", "en rondas") \
    TEXT(lab_rows_caption, "Time of a step as its rows grow; the lines are t0 + n / r.", \
         "Tiempo de un paso al crecer sus filas; las rectas son t0 + n / r.") \
    TEXT(lab_rows_axis, "rows of a step", "filas de un paso") \
    TEXT(lab_seconds_axis, "µs of a step", "µs de un paso") \
    TEXT(lab_threads, "Threads", "Hilos") \
    TEXT(lab_threads_caption, \
         "How many times as fast more threads are; dotted, as many as there are threads.", \
         "Cuántas veces más rápido van más hilos; de puntos, tantas como hilos.") \
    TEXT(lab_threads_ideal, "as many", "tantas") \
    TEXT(lab_threads_how, \
         "Amdahl's share: of the work, what threads divide. Between brackets its interval over the rounds.", \
         "Parte de Amdahl: del trabajo, lo que los hilos se reparten. Entre corchetes, su intervalo según " \
         "las rondas.") \
    TEXT(lab_share, "share", "parte") \
    TEXT(lab_speedup, "speedup", "aceleración") \
    TEXT(lab_thread_count, "threads", "hilos") \
    TEXT(lab_split_title, "Where does the time go?", "¿En qué se va el tiempo?") \
    TEXT( \
        lab_split_how, \
        "By the device's own account, of steps that were run once more for it: a queue's commands, or the " \
        "mean of all threads of the CPU. What is left of the wall time is waiting: the host prepares and " \
        "launches, or threads wait for one another.", \
        "Según las cuentas del propio dispositivo, con pasos repetidos para ello: las órdenes de una cola " \
        "o " \
        "la media de los hilos de la CPU. Lo que queda del tiempo de reloj es espera: el anfitrión prepara " \
        "y lanza, o unos hilos esperan a otros.") \
    TEXT(lab_split_lines, "By op and kernel", "Por operación y núcleo") \
    TEXT(lab_line_name, "op or kernel", "operación o núcleo") \
    TEXT(lab_line_count, "times a step", "veces por paso") \
    TEXT(lab_line_time, "µs a step", "µs por paso") \
    TEXT(lab_line_share, "of the wall", "del reloj") \
    TEXT(lab_compute, "compute", "cálculo") \
    TEXT(lab_transfer, "transfer", "transferencia") \
    TEXT(lab_launching, "launch, wait", "lanzar, esperar") \
    TEXT(lab_wall, "wall ms", "reloj ms") \
    TEXT(lab_load, "data ms", "datos ms") \
    TEXT(lab_compile, "compile ms", "compilar ms") \
    TEXT(lab_hand_over, "hand over ms", "entrega ms") \
    TEXT(lab_most, "most of it", "lo que más") \
    TEXT(lab_fast, "Exact and fast", "Exacto y rápido") \
    TEXT(lab_fast_none, "Not measured: only OpenCL devices have fast mathematics, and none was asked for.", \
         "Sin medir: solo los dispositivos OpenCL tienen aritmética rápida y no se pidió ninguno.") \
    TEXT(lab_fast_same, "%s on %s: the bits are those of exact, as fast takes the exact kernels there.", \
         "%s en %s: los bits son los de exacto, pues rápido usa allí los núcleos exactos.") \
    TEXT(lab_exact_time, "exact", "exacto") \
    TEXT(lab_fast_time, "fast", "rápido") \
    TEXT(lab_energy_title, "Energy", "Energía") \
    TEXT(lab_energy_none, "Not measured: this machine does not let %s be read.", \
         "Sin medir: esta máquina no deja leer %s.") \
    TEXT(lab_watts, "%s: %.1f W of the processor while it was measured (%.0f J).", \
         "%s: %.1f W del procesador mientras se medía (%.0f J).") \
    TEXT(lab_questions, "Questions", "Preguntas") \
    TEXT(lab_answer, "Answer", "Respuesta") \
    TEXT(lab_q1, \
         "On %s an empty launch takes %.3g µs, and it does %.4g GFLOP/s at best. How many operations could " \
         "it do in the time of one launch?", \
         "En %s un lanzamiento vacío tarda %.3g µs y hace como mucho %.4g GFLOP/s. ¿Cuántas operaciones " \
         "haría en lo que dura un lanzamiento?") \
    TEXT(lab_a1, "%.3g µs × %.4g GFLOP/s = %.3g operations.", "%.3g µs × %.4g GFLOP/s = %.3g operaciones.") \
    TEXT( \
        lab_q2, \
        "%s reads %.4g GB/s and does %.4g GFLOP/s. From how many FLOP per byte on does computing bound it?", \
        "%s lee %.4g GB/s y hace %.4g GFLOP/s. ¿A partir de cuántos FLOP por byte lo limita el cálculo?") \
    TEXT(lab_a2, "%.4g / %.4g = %.3g FLOP per byte.", "%.4g / %.4g = %.3g FLOP por byte.") \
    TEXT(lab_q3, \
         "On %s a step over rows takes t0 = %.3g µs and %.3g ns for each row. How many rows make it half " \
         "as fast, by the row, as it can be?", \
         "En %s un paso sobre filas tarda t0 = %.3g µs más %.3g ns por fila. ¿Con cuántas filas rinde, por " \
         "fila, la mitad de lo posible?") \
    TEXT(lab_a3, "Where n / r = t0: n = %.3g rows (Hockney's n½).", \
         "Donde n / r = t0: n = %.3g filas (n½ de Hockney).") \
    TEXT(lab_q4, "Of %s, threads divide %.3g. How much faster could endlessly many make it?", \
         "De %s los hilos se reparten %.3g. ¿Cuánto lo acelerarían infinitos hilos?") \
    TEXT(lab_a4, "1 / (1 − %.3g) = %.3g times.", "1 / (1 − %.3g) = %.3g veces.") \
    TEXT(lab_a4_none, "No bound is to be seen: more than one, or as good as all, was divided.", \
         "No se ve límite: se repartió todo, o casi.") \
    TEXT(lab_before, "%s (%s), %zu rounds", "%s (%s), %zu rondas") \
    TEXT(lab_old, "before µs", "antes µs") \
    TEXT(lab_new, "after µs", "después µs") \
    TEXT(lab_two_how, \
         "The second run against the first, workload by workload, where both have it: %s, then %s. Rounds " \
         "of different runs are no pairs.", \
         "La segunda medida frente a la primera, carga a carga, donde ambas la tienen: %s, después %s. Las " \
         "rondas de medidas distintas no forman parejas.") \
    TEXT(lab_two_differ, "The bits of the two runs differ: %s on %s.", \
         "Los bits de las dos medidas difieren: %s en %s.") \
    TEXT(lab_nothing_common, "The two runs have no workload on the same device in common.", \
         "Las dos medidas no comparten ninguna carga en el mismo dispositivo.")

LAB_TEXTS(TEXT_DEFINE)

#endif
