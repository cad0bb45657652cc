using OpenQA.Selenium;
using OpenQA.Selenium.Chrome;

namespace DistributedBackprop.Cli.Tests.Explain;

/// <summary>Debian's Chromium without a window, driven by its own driver; tests skip, visibly, where it is not installed.</summary>
public sealed class Browser : IDisposable
{
    private static readonly string? _chromium = Find("chromium", "chromium-browser", "google-chrome");
    private static readonly string? _driverProgram = Find("chromedriver");

    private ChromeDriver? _driver;

    /// <summary>Where pictures go: to the tests' own output.</summary>
    public static string Pictures { get; } = Directory.CreateDirectory(Path.Combine(AppContext.BaseDirectory, "screenshots")).FullName;

    public ChromeDriver Driver => _driver ??= Start();

    /// <summary>Whether it was needed so far.</summary>
    public bool IsOpen => _driver is not null;

    /// <summary>Opens a page as somebody who likes it light, or dark.</summary>
    public void Open(string path, bool isDark = false, int step = 1)
    {
        Prefer(isDark);
        Driver.Navigate().GoToUrl("about:blank");
        Driver.Navigate().GoToUrl($"{new Uri(path).AbsoluteUri}#{step}");
    }

    public void Prefer(bool isDark) => Driver.ExecuteCdpCommand("Emulation.setEmulatedMedia", new Dictionary<string, object?>
    {
        ["features"] = new[]
        {
            new Dictionary<string, object> { ["name"] = "prefers-color-scheme", ["value"] = isDark ? "dark" : "light" },
            new Dictionary<string, object> { ["name"] = "prefers-reduced-motion", ["value"] = "reduce" },
        },
    });

    public void Picture(string name) => Driver.GetScreenshot().SaveAsFile(Path.Combine(Pictures, $"{name}.png"));

    public void Press(string key) => new OpenQA.Selenium.Interactions.Actions(Driver).SendKeys(key).Perform();

    public IWebElement Find(string selector) => Driver.FindElement(By.CssSelector(selector));

    public string Text(string selector) => Find(selector).Text;

    /// <summary>What the page complained of since it was last asked.</summary>
    public IReadOnlyList<string> Complaints() => [.. Driver.Manage().Logs.GetLog(LogType.Browser).Select(entry => entry.ToString())];

    public void Dispose() => _driver?.Quit();

    private static ChromeDriver Start()
    {
        Skip.If(_chromium is null || _driverProgram is null, "Chromium and its driver are not installed.");
        var options = new ChromeOptions { BinaryLocation = _chromium };

        // In a container there are no namespaces for a sandbox, and little shared memory.
        options.AddArguments("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1440,1100", "--hide-scrollbars");
        options.SetLoggingPreference(LogType.Browser, LogLevel.All);
        var service = ChromeDriverService.CreateDefaultService(Path.GetDirectoryName(_driverProgram), Path.GetFileName(_driverProgram));
        service.SuppressInitialDiagnosticInformation = true;
        service.HideCommandPromptWindow = true;
        return new ChromeDriver(service, options, TimeSpan.FromSeconds(60));
    }

    private static string? Find(params string[] programs) => (
        from program in programs
        from folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator)
        let path = Path.Combine(folder, program)
        where File.Exists(path)
        select path).FirstOrDefault();
}
