#pragma once

/// The matrix units of Intel's CPUs (AMX): eight tiles of 16 rows of 64 bytes; one instruction
/// multiplies two tiles and adds 16 x 16 sums to a third.
namespace fastformer::kernels {

/// Whether the CPU has AMX-BF16 and AMX-INT8 and Linux lets this process use them. The first call
/// requests this for the whole process.
bool has_amx();

}  // namespace fastformer::kernels
