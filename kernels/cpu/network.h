/* How networks are cut, and where their weights lie; shared by C17 and OpenCL C. */
#ifndef TANDA_KERNELS_NETWORK_H
#define TANDA_KERNELS_NETWORK_H

#include "kernels/arguments/network.h"

/* How network_rows computes the loss: as loss_binary_crossentropy, loss_mse, ... of loss.cl. */
enum network_loss {
    NETWORK_BINARY,
    NETWORK_SQUARED,
    NETWORK_CATEGORICAL,
    NETWORK_ELEMENTS,
    NETWORK_SMOOTHED
};

#define NETWORK_NARROW_INPUTS 16 /* of a block of a layer with fewer than 16 outputs; of one with more */
#define NETWORK_WIDE_INPUTS 12   /* usually, and */
#define NETWORK_STRIP_INPUTS 48 /* where deltas are so many that blocks should share what they read of them */

#define PANEL 12 /* outputs of a panel of weights: as many chains as two vectors of each fit the registers */
#define NETWORK_PACK_INPUTS 16 /* that a work-item of network_pack takes */
#define NETWORK_MOST_COLUMNS 4 /* that are taken from rows to deltas together; a power of two */

/*
 * Where the weight of an input and an output lies in its layer's panels. No division: with its remainder clang makes an
 * instruction that oclgrind does not know.
 */
SHARED ulong panel_at(uint inputs, uint input, uint output) {
    uint panel = (uint)((ulong)output * 0xaaaaaaabu >> 35); /* output / PANEL */
    return ((ulong)panel * inputs + input) * PANEL + (output - panel * PANEL);
}

/* Words of each step in network_steps.cl, in lines of their own: columns of rows taken and done, blocks taken and done. */
#define NETWORK_TURNS 32

#endif
