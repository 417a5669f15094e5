using WarpProxy.Configuration;

namespace WarpProxy.Hosting;

/// <summary>
/// An address that cannot be listened on now: it is in use, or not this machine's yet. Unlike other bad input it may be good a moment later, when the
/// one before has ended or a virtual address has come; so the process ends with 1, and a service manager may try again.
/// </summary>
internal sealed class CannotListenException(string message, Exception innerException) : BadInputException(message, innerException);
