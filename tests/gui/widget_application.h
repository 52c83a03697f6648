#pragma once

#include <QApplication>

namespace relay::test {

/// A QApplication whose widgets have the same size on every machine.
class WidgetApplication
{
public:
    WidgetApplication(int &argc, char **argv)
        : m_application(argc, argv)
    {
        QCoreApplication::setAttribute(Qt::AA_Use96Dpi);
    }

private:
    QApplication m_application;
};

} // namespace relay::test
