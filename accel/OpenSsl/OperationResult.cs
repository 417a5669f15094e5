using WarpDrive.Driver;
using WarpDrive.Driver.Paths;

namespace WarpDrive.OpenSsl;

/// <summary>How a private-key operation went; when each step was done stands in its <see cref="OperationTimeline"/>.</summary>
/// <param name="Use">What it was for.</param>
/// <param name="ModulusBits">Of the key.</param>
/// <param name="IsOnDevice">Whether a device computed it; else software did, or nothing.</param>
/// <param name="Decision">What the path <c>auto</c> decided; null on other paths.</param>
/// <param name="Error">Why a device that should have computed it did not; <see cref="AcceleratorError.None"/>: it did, or software was the way chosen.</param>
/// <param name="HasFailed">Whether nothing computed it.</param>
public readonly record struct OperationResult(
    RsaUse Use, int ModulusBits, bool IsOnDevice, PathDecision? Decision, AcceleratorError Error, bool HasFailed);
