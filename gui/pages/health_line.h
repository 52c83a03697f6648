#pragma once

#include "ops/model/overview.h"

#include "gui/look/theme.h"
#include "gui/relay/relay_source.h"

#include <QLabel>
#include <QPushButton>
#include <QTimer>
#include <QWidget>

#include <optional>

namespace relay::gui {

/// The content of the health line.
struct Health
{
    Meaning meaning = Meaning::Quiet;
    QString headline; ///< "Serving", "Gone"
    QString detail;   ///< since when, why, when the next attempt is
};

/// `overview`: the last that came, if one ever did.
Health
healthOf(const LinkState &link, const std::optional<Overview> &overview, const QDateTime &now);

/// Whether the relay is well, as a dot and a sentence. While it is gone, it counts down to the next attempt.
class HealthLine : public QWidget
{
    Q_OBJECT

public:
    explicit HealthLine(QWidget *parent = nullptr);

    void setLink(const LinkState &link);
    void setOverview(const Overview &overview);
    [[nodiscard]] QString text() const;

Q_SIGNALS:
    void retryWanted();

protected:
    void changeEvent(QEvent *event) override;

private:
    void refresh();

    LinkState m_link;
    std::optional<Overview> m_overview;
    QLabel *m_dot;
    QLabel *m_headline;
    QLabel *m_detail;
    QPushButton *m_retry;
    QTimer m_tick;
};

} // namespace relay::gui
