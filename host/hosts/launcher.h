/* What a launcher of several ranks (mpirun, srun) tells its processes by variables, before MPI is there. */
#ifndef TANDA_HOSTS_LAUNCHER_H
#define TANDA_HOSTS_LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct launcher {
    const char *mpi; /* "openmpi" or "mpich"; NULL: there is no launcher */
    size_t rank, ranks;
} launcher;

launcher launcher_find(void);

#endif
