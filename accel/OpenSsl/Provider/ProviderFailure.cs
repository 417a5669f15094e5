using WarpDrive.OpenSsl.Native;

namespace WarpDrive.OpenSsl.Provider;

/// <summary>
/// An exception must never cross a native frame; here it becomes an entry of OpenSSL's error queue. Of that entry .NET shows the
/// reason, "internal error", and not the text.
/// </summary>
internal static class ProviderFailure
{
    /// <summary>Returns 0, which every function of a provider returns for failure, be it a number or a pointer.</summary>
    public static int Raise(Exception exception)
    {
        try
        {
            Libcrypto.RaiseError($"{WarpProvider.Name}: {exception.Message}");
        }
        catch (OutOfMemoryException)
        {
            // The failure itself still arrives, without its reason.
        }

        return 0;
    }
}
