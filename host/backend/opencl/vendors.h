/* The drivers that OpenCL's loader takes: .icd files, each of which names a library. */
#ifndef TANDA_OPENCL_VENDORS_H
#define TANDA_OPENCL_VENDORS_H

#include "backend/remarks.h"

/*
 * The loader passes in silence over a driver that it cannot load. Remarks each, with what the system says of it, and a
 * folder without drivers.
 */
void opencl_remark_vendors(device_remarks *remarks);

#endif
