/* How OpenMP's threads wait. */
#ifndef TANDA_CLI_WAITING_H
#define TANDA_CLI_WAITING_H

/*
 * From now on they sleep until there is work, unless the environment says how they are to wait. The program starts once
 * more for that, with these arguments.
 */
void wait_passively(char **argv);

#endif
