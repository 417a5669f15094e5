using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using WarpProxy.Tests.EndToEnd.Harness;

namespace WarpProxy.Tests.EndToEnd.Live;

/// <summary>A Chromium with one page, driven by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/).</summary>
internal sealed class Browser : IAsyncDisposable
{
    public const string Path = "/usr/bin/chromium";

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);

    // What is said of a page that is being left.
    private static readonly string[] Leaving = ["Inspected target navigated or closed", "Execution context was destroyed", "Cannot find default execution context"];

    private readonly RunningProcess _process;
    private readonly ClientWebSocket _socket = new();
    private readonly ConcurrentDictionary<int, TaskCompletionSource<JsonNode?>> _waiting = new();
    private readonly ConcurrentQueue<string> _problems = new();
    private readonly SemaphoreSlim _sending = new(1);
    private Task _reading = Task.CompletedTask;
    private string? _session;
    private int _lastId;

    private Browser(RunningProcess process) => _process = process;

    /// <summary>Errors on the console, exceptions of scripts, and what the page's policy refused.</summary>
    public IReadOnlyCollection<string> Problems => _problems;

    public static async Task<Browser> StartAsync(Scenario scenario)
    {
        RunningProcess process = scenario.Start(
            Path,
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--hide-scrollbars",
                "--force-color-profile=srgb", "--remote-debugging-port=0", $"--user-data-dir={scenario.File("chromium")}", "about:blank",
            ]);
        var browser = new Browser(process);
        string? url = null;
        const string Announcement = "DevTools listening on ";
        await Eventually.TrueAsync("Chromium says where its DevTools are", () =>
        {
            Assert.False(process.HasExited, "Chromium ended at start");
            url = process.Errors.FirstOrDefault(static line => line.StartsWith(Announcement, StringComparison.Ordinal))?[Announcement.Length..];
            return url is not null;
        });
        await browser._socket.ConnectAsync(new Uri(url!), CancellationToken.None);
        browser._reading = browser.ReadAsync();
        JsonNode? target = await browser.CallAsync("Target.createTarget", new { url = "about:blank" });
        JsonNode? session = await browser.CallAsync("Target.attachToTarget", new { targetId = target!["targetId"]!.GetValue<string>(), flatten = true });
        browser._session = session!["sessionId"]!.GetValue<string>();
        await browser.CallAsync("Page.enable");
        await browser.CallAsync("Runtime.enable");
        await browser.CallAsync("Log.enable");
        return browser;
    }

    /// <summary>How large the window is, in CSS pixels.</summary>
    public Task ResizeAsync(int width, int height, double scale = 1) =>
        CallAsync("Emulation.setDeviceMetricsOverride", new { width, height, deviceScaleFactor = scale, mobile = false });

    public Task UseColorSchemeAsync(string scheme) =>
        CallAsync("Emulation.setEmulatedMedia", new { features = new[] { new { name = "prefers-color-scheme", value = scheme } } });

    public Task OpenAsync(Uri url) => CallAsync("Page.navigate", new { url });

    /// <summary>The value of an expression in the page, which may be a promise.</summary>
    public async Task<T> EvaluateAsync<T>(string expression)
    {
        JsonNode? answer;
        long end = Environment.TickCount64 + (long)Limit.TotalMilliseconds;
        while (true)
        {
            try
            {
                answer = await CallAsync("Runtime.evaluate", new { expression, returnByValue = true, awaitPromise = true });
                break;
            }
            catch (InvalidOperationException refusal) when (Environment.TickCount64 < end && Array.Exists(Leaving, words => refusal.Message.Contains(words, StringComparison.Ordinal)))
            {
                // The page that was asked has made room for the next one, which is asked the same.
            }
        }

        Assert.True(answer!["exceptionDetails"] is null, $"{expression}: {answer["exceptionDetails"]}");
        return answer["result"]!["value"].Deserialize<T>()!;
    }

    public Task<string> TextAsync(string selector) => EvaluateAsync<string>($"document.querySelector({JsonSerializer.Serialize(selector)})?.textContent ?? ''");

    /// <summary>Writes a picture of the window, or of the whole page.</summary>
    public async Task ScreenshotAsync(string file, bool isWholePage)
    {
        JsonNode? picture = await CallAsync("Page.captureScreenshot", new { format = "png", captureBeyondViewport = isWholePage });
        await File.WriteAllBytesAsync(file, Convert.FromBase64String(picture!["data"]!.GetValue<string>()));
    }

    public async ValueTask DisposeAsync()
    {
        // It ends its children, too: nobody writes into its directory any more.
        _session = null;
        await CallAsync("Browser.close");
        await _process.WaitForExitAsync(TimeSpan.FromSeconds(60));
        await _reading;
        _socket.Dispose();
        _sending.Dispose();
    }

    private async Task<JsonNode?> CallAsync(string method, object? parameters = null)
    {
        int id = Interlocked.Increment(ref _lastId);
        var done = new TaskCompletionSource<JsonNode?>(TaskCreationOptions.RunContinuationsAsynchronously);
        _waiting[id] = done;
        byte[] message = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object?>
        {
            ["id"] = id,
            ["method"] = method,
            ["params"] = parameters ?? new object(),
            ["sessionId"] = _session ?? "",
        }.Where(static one => one.Value is not "").ToDictionary());
        await _sending.WaitAsync();
        try
        {
            await _socket.SendAsync(message, WebSocketMessageType.Text, true, CancellationToken.None);
        }
        finally
        {
            _sending.Release();
        }

        return await done.Task.WaitAsync(Limit);
    }

    private async Task ReadAsync()
    {
        byte[] buffer = new byte[64 * 1024];
        using var message = new MemoryStream();
        try
        {
            while (true)
            {
                ValueWebSocketReceiveResult part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }

                message.Write(buffer, 0, part.Count);
                if (part.EndOfMessage)
                {
                    Take(JsonNode.Parse(message.GetBuffer().AsSpan(0, (int)message.Length))!);
                    message.SetLength(0);
                }
            }
        }
        catch (WebSocketException)
        {
            // It has ended, and some versions do not say so first.
        }

        foreach (TaskCompletionSource<JsonNode?> waiting in _waiting.Values)
        {
            waiting.TrySetResult(null);
        }
    }

    private void Take(JsonNode message)
    {
        if (message["id"] is { } id)
        {
            if (_waiting.TryRemove(id.GetValue<int>(), out TaskCompletionSource<JsonNode?>? done))
            {
                if (message["error"] is { } error)
                {
                    done.SetException(new InvalidOperationException(error.ToJsonString()));
                }
                else
                {
                    done.SetResult(message["result"]);
                }
            }

            return;
        }

        JsonNode? parameters = message["params"];
        switch (message["method"]?.GetValue<string>())
        {
            case "Runtime.exceptionThrown":
                _problems.Enqueue($"exception: {parameters!["exceptionDetails"]!.ToJsonString()}");
                break;
            case "Runtime.consoleAPICalled" when parameters!["type"]!.GetValue<string>() is "error" or "assert":
                _problems.Enqueue($"console: {parameters["args"]!.ToJsonString()}");
                break;
            case "Log.entryAdded" when parameters!["entry"]!["level"]!.GetValue<string>() is "error":
                _problems.Enqueue($"log: {parameters["entry"]!.ToJsonString()}");
                break;
        }
    }
}
