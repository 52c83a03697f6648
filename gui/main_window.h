#pragma once

#include "gui/look/theme.h"
#include "gui/relay/relay_source.h"

#include <QLabel>
#include <QMainWindow>

#include <memory>

class QActionGroup;
class QMenu;
class QStackedWidget;

namespace relay::gui {

class RelayView;
class StartPage;
struct Choice;

/// The dashboard's window: one relay, or the page on which one is chosen.
///
/// Geometry, the last page and the theme are kept in QSettings.
/// Thread: the window's.
/// Owner: main().
class MainWindow : public QMainWindow
{
    Q_OBJECT

public:
    explicit MainWindow(QWidget *parent = nullptr);
    ~MainWindow() override;
    Q_DISABLE_COPY_MOVE(MainWindow)

    /// Leaves the relay that is watched, if one is, and watches this one.
    void watch(std::unique_ptr<RelaySource> source);
    /// Leaves the relay that is watched.
    void showStart();
    /// nullptr while none is watched.
    [[nodiscard]] RelayView *view() const { return m_view; }
    void setTheme(Theme theme);

protected:
    void closeEvent(QCloseEvent *event) override;

private:
    void makeMenus();
    void makeRelayMenu();
    void makeViewMenu();
    void makeStatusBar();
    void showAbout();
    void choose(const Choice &choice);
    void showConfig();
    void askDrain();
    void showLink(const LinkState &link);
    void showOverview(const Overview &overview);

    RelayView *m_view = nullptr;
    QStackedWidget *m_stack;
    StartPage *m_start;
    QMenu *m_relayMenu = nullptr;
    QMenu *m_pagesMenu = nullptr;
    QActionGroup *m_themes = nullptr;
    QLabel *m_linkLabel;
    QLabel *m_clientsLabel;
    QLabel *m_versionLabel;
};

} // namespace relay::gui
