import '@sock/bluetooth';
